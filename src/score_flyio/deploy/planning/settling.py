"""What an interrupted run left in an app, settled before an operation goes on from there. Pure."""

from __future__ import annotations

from collections.abc import Container

from fly_machines import models
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.condition import rests
from score_flyio.deploy.metadata import by_group
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.leftovers import Members, sort_out
from score_flyio.deploy.planning.model import GroupPlan, join
from score_flyio.deploy.planning.replacements import finish_replacement
from score_flyio.deploy.planning.strategies.model import waiting_of
from score_flyio.deploy.step import Step
from score_flyio.flytoml.spec import AppSpec


@frozen(kw_only=True)
class Settled:
    """An app without leftovers, and what takes them away."""

    observed: ObservedApp
    plan: GroupPlan


def settle(
    observed: ObservedApp,
    options: DeployOptions,
    definition: AppSpec | None = None,
    *,
    begins: Container[str] = (),
) -> Settled:
    """Canaries, half-made bluegreen sets and replaced machines go, as in a deploy.

    What is left of a group that would begin anew goes only where it `begins` with the operation.
    """
    plans = []
    gone: set[str | None] = set()
    for group, machines in sorted(by_group(observed.machines).items()):
        members = sort_out(group, machines)
        if not members.machines and group not in begins:
            continue
        steps = (*members.gone, *_finished(group, members, options, definition))
        plans.append(GroupPlan(steps=steps))
        gone.update(members.stand_ins, (step.target.machine for step in members.gone))
    kept = tuple(machine for machine in observed.machines if machine.id not in gone)
    return Settled(observed=evolve(observed, machines=kept), plan=join(plans))


def _finished(
    group: str,
    members: Members,
    options: DeployOptions,
    definition: AppSpec | None,
) -> list[Step]:
    known = {machine.id: machine for machine in members.machines}
    steps: list[Step] = []
    for old, new in members.stand_ins.items():
        stand_in = known[new]
        config = stand_in.config or models.FlyMachineConfig()
        waiting = waiting_of([config], options, definition)
        steps += finish_replacement(group, known[old], stand_in, waiting, resting=rests(stand_in))
    return steps
