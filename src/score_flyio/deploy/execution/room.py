"""Room for what is created: whether the platform says that it has any, and where it has.

Before many machines are created it is asked. The answer is a simulation (Machines API, placements),
so it only ever warns: the creates themselves decide. What it saves is finding out at the last of a
hundred machines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

import anyio

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.execution.context import ContextSettings
from score_flyio.deploy.step import CreateMachine, Step
from score_flyio.errors import FlyError, InsufficientCapacity
from score_flyio.errors.unwrap import at_once

T = TypeVar("T")

MANY: Final = 10
"""From how many machines of one size and region on it is worth a call."""
PATIENCE: Final = 5.0
"""Seconds to wait for an answer that is only advice."""


def questions(steps: Iterable[Step]) -> tuple[models.MainGetPlacementsRequest, ...]:
    """One for each region and size that gets many new machines, yet of no organization. Pure."""
    alike: dict[str, list[CreateMachine]] = defaultdict(list)
    for step in steps:
        if isinstance(step, CreateMachine) and step.request.region:
            alike[f"{step.request.region} {step.config.guest}"].append(step)
    return tuple(
        models.MainGetPlacementsRequest(
            org_slug="",
            region=same[0].request.region,
            compute=same[0].config.guest,
            count=len(same),
        )
        for same in alike.values()
        if len(same) >= MANY
    )


def shortfall(
    question: models.MainGetPlacementsRequest, answer: models.MainGetPlacementsResponse
) -> str | None:
    """What a person should know of an answer; None when there is room for all. Pure."""
    if answer.regions is None:  # it was not said, which is not the same as none
        return None
    room = sum(placed.count or 0 for placed in answer.regions if placed.region == question.region)
    wanted = question.count or 0
    if room >= wanted:
        return None
    return f"region {question.region} has room for {room} of {wanted} new machines"


async def ask_for_room(
    context: ContextSettings, steps: Iterable[Step], org: Callable[[], Awaitable[str]]
) -> None:
    """Warns where the platform has not room for all; says nothing where it cannot be asked."""

    async def ask(question: models.MainGetPlacementsRequest) -> None:
        lacking: str | None = None
        try:
            with anyio.move_on_after(PATIENCE):
                answer = await context.client.api.platform_placements_post(question)
                lacking = shortfall(question, answer)
        except InsufficientCapacity:
            lacking = f"region {question.region} has no room for {question.count} new machines"
        except FlyError:
            return  # only advice was asked for; what cannot be created says so itself
        if lacking is not None:
            hint = "choose other regions, smaller machines, or fewer of them"
            context.warn(f"{lacking}: {hint}", "no_room")

    if asked := questions(steps):
        slug = await org()
        await at_once(ask, [evolve(question, org_slug=slug) for question in asked])


async def where_room_is(
    regions: Sequence[str | None], create: Callable[[str | None], Awaitable[T]]
) -> T:
    """What is created in the first of the regions that has room.

    Raises InsufficientCapacity: not even the last one has.
    """
    for region in regions[:-1]:
        try:
            return await create(region)
        except InsufficientCapacity:
            continue
    return await create(regions[-1])
