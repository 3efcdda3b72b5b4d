"""First deploys that meet: each found no machine, so there was no lease that would keep them apart.

The run whose machine is the oldest goes on. The others take theirs back, and are planned anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import anyio

from fly_machines import models
from score_flyio.deploy.app_step import DestroyVolume
from score_flyio.deploy.execution.context import Context, MadeMachine
from score_flyio.deploy.execution.steps.app import MadeVolume
from score_flyio.deploy.metadata import is_own
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.recovery import undone
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step
from score_flyio.errors import FlyError
from score_flyio.fly.present import LAUNCH_KEY, living, metadata

SEEN_WITHIN: Final = 10.0
"""Seconds in which a list shows machines that were made just now."""
PAUSE: Final = 1.0
"""Seconds between two lists."""
WHY = "another run launched the app at the same time"


async def gives_way(context: Context, plan: AppPlan) -> bool:
    """Whether another run launched the app, too, and this one has to take its machines back.

    A machine that no run of ours made cannot give way.
    """
    steps = [step for step in plan.steps if isinstance(step, CreateMachine)]
    made = _made(context, steps)
    if plan.machines or not made:
        return False
    try:
        # a standby is younger than the machine that it stands by for
        oldest = _made(context, (step for step in steps if not step.standby_for))
        listed = await _with_all(context, plan.app, oldest)
    except FlyError:
        return False
    own = [machine for machine in listed if living(machine) and is_own(machine)]
    ours = [_age(machine) for machine in own if machine.id in made]
    others = [machine for machine in own if machine.id not in made]
    return any(LAUNCH_KEY not in metadata(m) or _age(m) < min(ours, default=("",)) for m in others)


def _made(context: Context, steps: Iterable[CreateMachine]) -> set[str]:
    found = (context.results.get(step.id) for step in steps)
    return {each.id for each in found if isinstance(each, MadeMachine)}


async def _with_all(context: Context, app: str, made: set[str]) -> Sequence[models.Machine]:
    """The machines once those made just now are among them: then older ones are, too."""
    if made <= {machine.id for machine in context.health.listed}:
        return context.health.listed
    end = anyio.current_time() + SEEN_WITHIN
    while True:
        listed = await context.client.api.machines_list(app)
        missing = made - {machine.id or "" for machine in listed}
        if not missing or anyio.current_time() + PAUSE > end:
            return listed
        await anyio.sleep(PAUSE)


def taking_back(plan: AppPlan, results: Mapping[str, object]) -> Iterable[Step]:
    """The steps that undo a launch: the machines, then the volumes that were made for them."""
    machines = [
        DestroyMachine(id=undone(step.id), group=step.group, target=step.target, reason=WHY)
        for step in plan.steps
        if isinstance(step, CreateMachine) and step.id in results
    ]
    after = tuple(step.id for step in machines)
    volumes = [made for step in plan.steps if isinstance(made := results.get(step.id), MadeVolume)]
    return [
        *machines,
        *(DestroyVolume(id=undone(v.step.id), volume=v.id, needs=after) for v in volumes),
    ]


def _age(machine: models.Machine) -> tuple[str, ...]:
    return machine.created_at or "", machine.id or ""
