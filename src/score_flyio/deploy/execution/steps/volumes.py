"""Volumes of an app."""

from __future__ import annotations

from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.step import CreateVolume, DestroyVolume
from score_flyio.errors import NotFound
from score_flyio.fly import repeats


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
    """Deletes the volume; one that is gone already is fine."""
    try:
        await context.client.api.volume_delete(step.app, step.volume)
    except NotFound:
        return
