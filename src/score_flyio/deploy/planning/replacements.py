"""Machines that an update cannot change: a new one comes before the old one goes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.condition import host_answers, rests
from score_flyio.deploy.desired.requests import MachineUpdate
from score_flyio.deploy.metadata import FORMER_GROUP, STAGED, in_place_of, take_over, without_marks
from score_flyio.deploy.model import Ref, Undo
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.model import GroupContext, GroupPlan, replacement_of, update_of
from score_flyio.deploy.planning.new_machine import volumes_of
from score_flyio.deploy.planning.standbys import Standbys
from score_flyio.deploy.planning.strategies.model import Waiting, waiting_for
from score_flyio.deploy.releases.in_metadata import with_history
from score_flyio.deploy.step import AwaitHealthy, CreateMachine, DestroyMachine, Step
from score_flyio.errors import DestructiveChange, PlanError

_PASSED: Final = frozenset({FORMER_GROUP, STAGED})
"""Marks of a machine that say nothing of the one that takes its place: it begins with all secrets,
in the group of now."""


def replacement_steps(
    context: GroupContext,
    members: Members,
    standbys: Standbys,
    replaced: Mapping[str, MachineUpdate],
    *,
    starting: Container[str],
) -> GroupPlan:
    """Raises DestructiveChange where a volume would be left behind without consent."""
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    known = {machine.id: machine for machine in members.machines}
    waiting = waiting_for(context.desired.spec, context.group, context.options)
    for number, name in enumerate(sorted(replaced, key=standbys.targets.__contains__), start=1):
        machine, update = known[name], replaced[name]
        _check_volumes(context, machine)
        if stand_in := standbys.stand_ins.get(name):
            found = known[stand_in]
            resting = rests(found) and stand_in not in starting
            steps += finish_replacement(context.group, machine, found, waiting, resting=resting)
            continue
        made = _replacement(context, machine, update)
        made = evolve(
            made,
            number=number,
            of=len(replaced),
            standby_for=standbys.refs(name),
            needs=(*previous, *standbys.needs(name)),
        )
        gone = DestroyMachine.of(
            name, group=context.group, reason=f"replaced: {update.replaced_because}"
        )
        steps += _in_turn(context, made, waiting, gone)
        previous = (made.id,)
    return GroupPlan(steps=tuple(steps))


def _in_turn(
    context: GroupContext, made: CreateMachine, waiting: Waiting, gone: DestroyMachine
) -> list[Step]:
    """The volume, the new machine, its health, the end of the old one."""
    if made.request.skip_launch:
        return [*context.volumes.give(made), gone.after(made.id)]
    healthy = waiting.healthy(f"{made.id}:healthy", made.group, made.target, made.id)
    undo = Undo(if_failed=(healthy.id,), reason="the replacement was not healthy")
    return [*context.volumes.give(evolve(made, undo=undo)), healthy, gone.after(healthy.id)]


def finish_replacement(
    group: str,
    machine: models.Machine,
    stand_in: models.Machine,
    waiting: Waiting,
    *,
    resting: bool,
) -> list[Step]:
    """The old machine goes once what takes its place is well.

    One that rests has nothing to be waited for: it was made so, since the old one rested.
    """
    before = update_of(stand_in.id or "")
    reason = f"machine {stand_in.id} takes its place"
    gone = DestroyMachine.of(machine.id or "", group=group, reason=reason)
    if resting:
        return [gone.after(before)]
    target = Ref(machine=stand_in.id)
    healthy = waiting.healthy(_stood_in_for(machine.id), group, target, before)
    return [healthy, gone.after(healthy.id)]


def _stood_in_for(machine: str | None) -> str:
    return f"replaced:{machine}:healthy"


def behind_replaced_ones(plan: GroupPlan) -> GroupPlan:
    """A replacement that is itself replaced need not be well; the old machine goes behind it.

    One that is waited for anyway, since it changes, is not waited for twice: who finds that it
    rests starts it.
    """
    going = {
        s.target: s.id for s in plan.steps if isinstance(s, DestroyMachine) and s.target.machine
    }
    finishing = {_stood_in_for(target.machine) for target in going}
    healthy = [step for step in plan.steps if isinstance(step, AwaitHealthy)]
    anyway = {step.target: step.id for step in healthy if step.id not in finishing}
    waits = {step.id: going[step.target] for step in healthy if step.target in going}
    updates = {update_of(target.machine or ""): gone for target, gone in going.items()}
    waits |= {name: updates[name] for name in updates.keys() - {step.id for step in plan.steps}}
    waits |= {
        step.id: anyway[step.target]
        for step in healthy
        if step.id in finishing and step.target in anyway and step.target not in going
    }
    if not waits:
        return plan
    return evolve(
        plan,
        steps=tuple(
            evolve(step, needs=tuple(waits.get(name, name) for name in step.needs))
            for step in plan.steps
            if step.id not in waits
        ),
    )


def _check_volumes(context: GroupContext, machine: models.Machine) -> None:
    """Raises where a volume of the machine would be lost, or left behind without consent."""
    volumes = volumes_of(context.observed, machine)
    if volumes and not host_answers(machine):
        raise PlanError(
            f"app {context.app}: machine {machine.id} is on a host that is {machine.host_status}, "
            f"and so is its volume {volumes[0]}",
            hint="wait for the host, or restore a snapshot of the volume and destroy the machine",
        )
    if volumes and not context.options.allow_destructive:
        raise DestructiveChange(
            f"app {context.app}: the mounts of machine {machine.id} change, so it has to be "
            f"replaced, and its volume {volumes[0]} is left behind",
            hint="confirm with --yes; the volume is kept, unattached",
        )


def _replacement(
    context: GroupContext, machine: models.Machine, update: MachineUpdate
) -> CreateMachine:
    config = with_history(without_marks(update.config, _PASSED), machine)
    config = context.secrets.stamp(in_place_of(config, machine.id))
    return CreateMachine(
        id=replacement_of(machine.id),
        group=context.group,
        request=models.CreateMachineRequest(
            config=config, region=machine.region, skip_launch=update.request.skip_launch
        ),
        launch_id=take_over(machine, context.settings.new_id()),
        role="replacement",
        secrets_from=context.secrets.step,
        previous=machine.id,
    )
