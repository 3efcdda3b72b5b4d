"""The first machines of a group: how many, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.machine_checks import waiting_with_tests
from score_flyio.deploy.planning.model import GroupContext, GroupPlan
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.step import CreateMachine, Step


@frozen(kw_only=True)
class Missing:
    """What an interrupted launch still has to create."""

    launch: str
    numbers: tuple[int, ...]
    of: int
    first: str
    """Id of the machine that a standby stands by for."""


def missing_of_launch(machines: Iterable[models.Machine], done: Collection[str]) -> Missing | None:
    """Machines of a launch are created in order, so what an interruption left out is its tail.

    A gap before the last one was made by a person, and stays.
    """
    launches = [launch for m in machines if (launch := Launch.of_machine(m)) is not None]
    for launch in launches:
        present = {other.number for other in launches if other.id == launch.id}
        if launch.id in done or launch.of in present:
            continue
        first = min(
            (m for m in machines if (of := Launch.of_machine(m)) and of.id == launch.id),
            key=lambda m: getattr(Launch.of_machine(m), "number", 0),
        )
        numbers = tuple(range(max(present) + 1, launch.of + 1))
        return Missing(launch=launch.id, numbers=numbers, of=launch.of, first=first.id or "")
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
    of = missing.of if missing else {"single": 1, "pair": 2, "standby": 2}[plan.availability]
    launch = missing.launch if missing else context.settings.new_id()
    waiting = waiting_with_tests(context)
    waits = options.strategy is None or STRATEGIES[options.strategy].waits
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    for number in missing.numbers if missing else range(1, of + 1):
        first = Ref(machine=missing.first) if missing else Ref(step=_name(context, 1))
        standby_for = first if plan.availability == "standby" and number > 1 else None
        request = plan.standby(first.machine or "") if standby_for else plan.first
        config = request.config or models.FlyMachineConfig()
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
