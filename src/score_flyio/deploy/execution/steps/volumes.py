"""Volumes of an app."""

from __future__ import annotations

from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.app_step import CreateVolume, DestroyVolume
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.execution.room import where_room_is
from score_flyio.errors import NotFound
from score_flyio.fly import repeats
from score_flyio.fly.volumes import once_detached


@frozen(kw_only=True)
class MadeVolume:
    """A volume as its step made it."""

    id: str
    region: str | None


async def create_volume(step: CreateVolume, context: Context) -> MadeVolume:
    """Creates the volume, in a fallback region where its own has no room; its machine follows."""
    regions = (step.request.region, *context.options.fallback_regions)
    return await where_room_is(regions, lambda region: _create(step, context, region))


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
    """Deletes the volume; one that is gone already is fine."""

    async def delete() -> None:
        try:
            await context.client.api.volume_delete(step.app, step.volume)
        except NotFound:
            return

    await once_detached(delete)
