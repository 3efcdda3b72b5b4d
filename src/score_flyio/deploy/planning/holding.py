"""Which machines a run holds while it changes an app, and what its plan was made from. Pure.

Whoever makes or destroys machines holds the oldest machine of the app, too: so two runs never
change how many there are at the same time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fly_machines import models
from score_flyio.deploy.condition import host_answers
from score_flyio.deploy.metadata import SAFE_TO_DESTROY, Marks, as_seen
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.step import CreateMachine, DestroyMachine, HoldMachines, Step


def held(
    observed: ObservedApp, plan: GroupPlan, *, before: tuple[str, ...] = ()
) -> tuple[Step, ...]:
    """The steps on machines, behind `before` and the leases of all of them.

    None can be had of a machine whose host does not answer.
    """
    there = [machine for machine in observed.machines if host_answers(machine)]
    changing = {step.target.machine for step in plan.steps if step.target and step.mutates}
    if any(isinstance(step, CreateMachine | DestroyMachine) for step in plan.steps):
        changing |= {machine.id for machine in sorted(there, key=_age)[:1]}
    leases = {machine.id or "" for machine in there} & changing
    first = hold_steps(observed.machines, leases, before=before)
    gate = (*before, *(step.id for step in first))
    ids = {step.id for step in plan.steps}
    rest = (step if ids & set(step.needs) else step.after(*gate) for step in plan.steps)
    return (*first, *rest)


def hold_steps(
    seen: Iterable[models.Machine],
    wanted: Collection[str],
    *,
    everything: bool = False,
    before: tuple[str, ...] = (),
) -> tuple[HoldMachines, ...]:
    """What takes the leases, oldest machine first, then looks whether the app is as it was seen."""
    if not wanted:
        return ()
    seen = sorted(seen, key=_age)
    making = {machine.id or "" for machine in seen if _may_be_in_the_making(machine, seen)}
    order = [machine.id or "" for machine in seen if machine.id in wanted]
    hold = HoldMachines(
        id="hold",
        machines=tuple(name for name in order if name not in making),
        in_the_making=tuple(name for name in order if name in making),
        seen={machine.id or "": as_seen(machine) for machine in seen},
        everything=everything,
        needs=before,
    )
    return (hold,)


def _may_be_in_the_making(machine: models.Machine, machines: Iterable[models.Machine]) -> bool:
    """Whether it looks like what an interrupted run left: its run may live."""
    marks = Marks.of(machine)
    if marks.canary or (marks.tag and marks.tag != SAFE_TO_DESTROY):
        return True
    return marks.stands_for is not None and marks.stands_for in {other.id for other in machines}


def _age(machine: models.Machine) -> tuple[str, str]:
    return machine.created_at or "", machine.id or ""
