"""The first machines of a group: how many, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.metadata import Launch, Marks
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.addresses import is_first
from score_flyio.deploy.planning.machine_checks import waiting_with_tests
from score_flyio.deploy.planning.model import GroupContext, GroupPlan
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.step import CreateMachine, Step


@frozen(kw_only=True)
class Missing:
    """What an interrupted launch still has to create."""

    launch: str
    first: str
    """Id of the machine that is there."""


def missing_of_launch(machines: Iterable[models.Machine], done: Collection[str]) -> Missing | None:
    """Of the two machines of a launch, an interruption leaves out the second one.

    Where the first one is missing, a person removed it, and it stays away.
    """
    places = {m.id or "": launch for m in machines if (launch := Launch.of_machine(m)) is not None}
    complete = {launch.id for launch in places.values() if launch.number == launch.of}
    for first, launch in places.items():
        if launch.id not in done and launch.id not in complete:
            return Missing(launch=launch.id, first=first)
    return None


def launch_steps(context: GroupContext, missing: Missing | None = None) -> GroupPlan:
    """The creates of a group and what waits for them.

    Creates go out one after another, each answered before the next, so that the platform puts them
    on different hosts; starting and health are waited for together.
    """
    options = context.options
    plan = launch_plan(
        context.desired.spec,
        context.group,
        image=context.desired.image,
        release=context.release,
        files=context.desired.files,
        ha=options.ha,
        guest=options_guest(options),
    )
    of = 1 if plan.availability == "single" and not missing else 2
    launch = missing.launch if missing else context.settings.new_id()
    waiting = waiting_with_tests(context)
    waits = options.strategy is None or STRATEGIES[options.strategy].waits
    first_of_app = is_first(context.observed, context.settings.known.launches_done)
    marks = Marks(addresses=None if first_of_app else "decided")
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    for number in (2,) if missing else range(1, of + 1):
        first = Ref(machine=missing.first) if missing else Ref(step=_name(context, 1))
        standby_for = first if plan.availability == "standby" and number > 1 else None
        request = plan.standby(first.machine or "") if standby_for else plan.first
        config = marks.stamp(request.config or models.FlyMachineConfig())
        made = CreateMachine(
            id=_name(context, number),
            app=context.app,
            group=context.group,
            request=evolve(request, config=context.secrets.stamp(config), lease_ttl=None),
            launch_id=str(Launch(launch, number, of)),
            number=number,
            of=of,
            role="standby" if standby_for else "",
            standby_for=standby_for,
            secrets_from=context.secrets.step,
            fallback_regions=options.fallback_regions,
            needs=previous,
        )
        steps += context.volumes.give(made)
        if waits and not options.detach and not standby_for:
            steps += waiting.first(made) if number == 1 else waiting.after(made)
        previous = (made.id,)
    return GroupPlan(steps=tuple(steps), launches=(launch,) if of > 1 else ())


def _name(context: GroupContext, number: int) -> str:
    return f"create:{context.group}:{number}"
