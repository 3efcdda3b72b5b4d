"""What an interrupted run left in an app, settled before an operation goes on from there. Pure."""

from __future__ import annotations

from collections.abc import Container

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.condition import rests
from score_flyio.deploy.metadata import by_group
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.leftovers import sort_out
from score_flyio.deploy.planning.model import GroupPlan, join
from score_flyio.deploy.planning.replacements import finish_replacement
from score_flyio.deploy.planning.strategies.model import waiting_of
from score_flyio.deploy.step import Step
from score_flyio.flytoml.spec import AppSpec


def settle(
    observed: ObservedApp,
    options: DeployOptions,
    definition: AppSpec | None = None,
    *,
    begins: Container[str] = (),
) -> tuple[ObservedApp, GroupPlan]:
    """The app without leftovers, and what takes them away.

    Canaries, half-made bluegreen sets and replaced machines go, as in a deploy. What is left of a
    group that would begin anew goes only where it `begins` with the operation.
    """
    plans = []
    gone: set[str | None] = set()
    for group, machines in sorted(by_group(observed.machines).items()):
        members = sort_out(group, machines)
        if not members.machines and group not in begins:
            continue
        known = {machine.id: machine for machine in members.machines}
        steps: list[Step] = [*members.gone]
        for old, new in members.stand_ins.items():
            config = known[new].config or models.FlyMachineConfig()
            waiting = waiting_of([config], options, definition)
            resting = rests(known[new])
            steps += finish_replacement(group, known[old], known[new], waiting, resting=resting)
        plans.append(GroupPlan(steps=tuple(steps)))
        gone.update(members.stand_ins, (step.target.machine for step in members.gone))
    kept = tuple(machine for machine in observed.machines if machine.id not in gone)
    return evolve(observed, machines=kept), join(plans)
