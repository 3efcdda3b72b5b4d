"""Volumes of an app."""

from __future__ import annotations

import anyio

from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.step import CreateVolume, DestroyVolume
from score_flyio.errors import NotFound, PreconditionFailed
from score_flyio.fly import repeats

DETACHED_WITHIN = 60.0
"""Seconds within which a machine that is being deleted must let go of its volume."""


async def create_volume(step: CreateVolume, context: Context) -> str:
    """Gives the id of the new volume."""
    async with context.volume_turn:
        volume = await context.about_app(
            lambda: repeats.create_volume(
                context.client.api, step.app, step.request, context.known_volumes
            )
        )
    return volume.id or ""


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
