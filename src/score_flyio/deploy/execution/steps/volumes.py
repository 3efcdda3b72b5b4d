"""Volumes of an app."""

from __future__ import annotations

import anyio
from attrs import evolve, frozen

from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.step import CreateVolume, DestroyVolume
from score_flyio.errors import InsufficientCapacity, NotFound, PreconditionFailed
from score_flyio.fly import repeats

DETACHED_WITHIN = 60.0
"""Seconds within which a machine that is being deleted must let go of its volume."""


@frozen(kw_only=True)
class MadeVolume:
    """A volume as its step made it."""

    id: str
    region: str | None


async def create_volume(step: CreateVolume, context: Context) -> MadeVolume:
    """Creates the volume, in a fallback region where its own has no room."""
    regions = (step.request.region, *step.fallback_regions)
    for region in regions[:-1]:
        try:
            return await _create(step, context, region)
        except InsufficientCapacity:
            continue
    return await _create(step, context, regions[-1])


async def _create(step: CreateVolume, context: Context, region: str | None) -> MadeVolume:
    request = evolve(step.request, region=region)
    async with context.volume_turn:
        volume = await context.about_app(
            lambda: repeats.create_volume(
                context.client.api, step.app, request, context.known_volumes
            )
        )
    return MadeVolume(id=volume.id or "", region=volume.region or region)


async def destroy_volume(step: DestroyVolume, context: Context) -> None:
    """Deletes the volume; one that is gone already is fine.

    It is attached until its machine is really gone, which may be after the answer to its deletion.
    """
    end, pause = anyio.current_time() + DETACHED_WITHIN, 0.25
    while True:
        try:
            await context.client.api.volume_delete(step.app, step.volume)
        except NotFound:
            return
        except PreconditionFailed:
            if anyio.current_time() + pause > end:
                raise
        else:
            return
        await anyio.sleep(pause)
        pause = min(2.0, pause * 2)
