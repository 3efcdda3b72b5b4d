"""The first machines of a group: how many, and in which order."""

from __future__ import annotations

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.metadata import Launch, Marks
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.addresses import is_first
from score_flyio.deploy.planning.counts import LAUNCHED, Missing, mark_counted
from score_flyio.deploy.planning.machine_checks import waiting_with_tests
from score_flyio.deploy.planning.model import GroupContext, GroupPlan
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.step import CreateMachine, Step


def launch_steps(
    context: GroupContext, missing: Missing | None = None, *, heir: Ref | None = None
) -> GroupPlan:
    """The creates of a group and what waits for them.

    Creates go out one after another, each answered before the next, so that the platform puts them
    on different hosts; starting and health are waited for together. Nothing is `missing` where
    one machine is enough: with `--no-ha`, or since the group got a mount. `heir` is what has taken
    the place of the first machine by then.
    """
    options = context.options
    plan = context.launch
    if missing and plan.availability == "single":
        return GroupPlan()
    of = 1 if plan.availability == "single" else 2
    launch = missing.launch if missing else context.settings.new_id()
    waiting = waiting_with_tests(context)
    waits = options.strategy is None or STRATEGIES[options.strategy].waits
    decided = None if is_first(context.observed) else "decided"
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    for number in (2,) if missing else range(1, of + 1):
        first = Ref(machine=missing.first) if missing else Ref(step=_name(context, 1))
        first = heir or first
        standby_for = (first,) if plan.availability == "standby" and number > 1 else ()
        request = plan.standby(first.machine or "") if standby_for else plan.first
        marks = Marks(addresses=decided, counted=LAUNCHED if number == of > 1 else None)
        config = marks.stamp(request.config or models.FlyMachineConfig())
        made = CreateMachine(
            id=_name(context, number),
            group=context.group,
            request=evolve(request, config=context.secrets.stamp(config), lease_ttl=None),
            launch_id=str(Launch(launch, number, of, group=context.group)),
            number=number,
            of=of,
            role="standby" if standby_for else "",
            standby_for=standby_for,
            secrets_from=context.secrets.step,
            needs=previous,
        )
        steps += context.volumes.give(made)
        if waits and not options.detach and not standby_for:
            steps += waiting.first(made) if number == 1 else waiting.after(made)
        previous = (made.id,)
    if of > 1 and not missing:
        steps.append(mark_counted(context.group, first, LAUNCHED, *previous))
    return GroupPlan(steps=tuple(steps))


def _name(context: GroupContext, number: int) -> str:
    return f"create:{context.group}:{number}"
