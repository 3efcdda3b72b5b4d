"""Volumes of machines that are on their way out: they will be free, and must be waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from fly_machines import FlyMachinesApi, models
from score_flyio.base.record import evolve
from score_flyio.errors import FlyApiError, NotFound
from score_flyio.fly.present import kept, living
from score_flyio.fly.repeats import resent

T = TypeVar("T")

DETACHED_WITHIN: Final = 120.0
"""Seconds within which a machine that is being deleted must let go of its volume; up to a minute
was observed."""
HELD: Final = ("bound to machine", "claimed by machine", "attached to")
"""What is said of a volume that a machine has, when it is to be deleted or to go into another."""


async def once_deleted_are_gone(
    api: FlyMachinesApi,
    app: str,
    volumes: Iterable[models.Volume],
    listed: Iterable[models.Machine] = (),
) -> list[models.Volume]:
    """The volumes that are there, free where their machine is on its way out.

    A machine that `listed` lacks is asked for: lists may lack those that go, and others as well.

    Raises FlyError: it could not be asked for.
    """
    alive = {machine.id: living(machine) for machine in listed}

    async def free(volume: models.Volume) -> models.Volume:
        holder = volume.attached_machine_id
        if not holder:
            return volume
        if holder not in alive:
            try:
                alive[holder] = living(await api.machines_show(app, holder))
            except NotFound:  # perhaps one that is so new that nobody sees it
                alive[holder] = True
        return volume if alive[holder] else evolve(volume, attached_machine_id=None)

    return [await free(volume) for volume in volumes if kept(volume)]


async def once_detached(send: Callable[[], Awaitable[T]], volume: str | None) -> T:
    """Send again while a machine has the volume: it may be on its way out.

    A volume is attached until its machine is really gone, which may be after the answer to the
    deletion of the machine.
    """
    try:
        return await resent(send, _is_held, within=DETACHED_WITHIN, longest=2.0)
    except FlyApiError as error:
        if not _is_held(error):
            raise
        hint = f"volume {volume} is still in a machine that goes: run the same command again later"
        raise type(error)(error.request, error.answer, hint=hint) from error


def _is_held(error: FlyApiError) -> bool:
    return any(words in error.answer.message.lower() for words in HELD)
