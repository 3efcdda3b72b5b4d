"""Apps, and what they have beside machines: addresses, certificates, secrets and volumes."""

from __future__ import annotations

from contextlib import suppress

from fly_machines import models
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.app_step import (
    AddCertificate,
    AllocateAddress,
    CreateApp,
    CreateVolume,
    DestroyApp,
    DestroyVolume,
    ReleaseAddress,
    RemoveCertificate,
    SetSecrets,
)
from score_flyio.deploy.execution.context import Context, SecretsSet
from score_flyio.deploy.execution.room import where_room_is
from score_flyio.deploy.planning.secrets import digests_hash, remember
from score_flyio.errors import NotFound
from score_flyio.fly import repeats
from score_flyio.fly.volumes import once_detached


async def create_app(step: CreateApp, context: Context) -> None:
    """Makes the app unless it is there. Raises NameTaken: someone else has the name."""
    await repeats.create_app(context.client.api, step.app, step.org)
    context.app_is_new = True


async def allocate_address(step: AllocateAddress, context: Context) -> str | None:
    """Gives the address, as text."""
    request = models.AssignIPRequest(type=step.kind, region=step.region)
    address = await context.about_app(
        lambda: repeats.assign_ip(context.client.api, context.app, request, context.known_addresses)
    )
    return address.ip


async def add_certificate(step: AddCertificate, context: Context) -> None:
    """One that was asked for before, by a lost call or by a person, is fine."""
    app, api, own = context.app, context.client.api, step.own
    if own is None:
        await context.about_app(lambda: repeats.ask_for_certificate(api, app, step.hostname))
        return
    request = models.CreateCustomCertificateRequest(
        hostname=step.hostname, fullchain=own.fullchain, private_key=own.private_key.reveal()
    )
    await api.app_certificates_custom_create(app, request)


async def remove_certificate(step: RemoveCertificate, context: Context) -> None:
    """Takes them away; a host name that has none any more is fine."""
    with suppress(NotFound):
        await context.client.api.app_certificates_delete(context.app, step.hostname)


async def release_address(step: ReleaseAddress, context: Context) -> None:
    """Gives the address back; one that is gone already is fine."""
    with suppress(NotFound):
        await context.client.api.app_ip_assignments_delete(context.app, step.address)


async def destroy_app(step: DestroyApp, context: Context) -> None:
    """Deletes the app by force; one that is gone already is fine."""
    with suppress(NotFound):
        await context.client.api.apps_delete(step.app, force=True)


async def set_secrets(step: SetSecrets, context: Context) -> SecretsSet:
    """Sets all in one call, and remembers their digests so that the next run need not."""
    answer = await context.about_app(
        lambda: repeats.set_secrets(context.client.api, context.app, step.values)
    )
    before = context.secrets_before
    changed = any(answer.digests.get(name) != before.get(name) for name in step.values)
    kept = {name: value for name, value in step.values.items() if value is not None}
    await context.secrets_set(context.app, remember(kept, context.salt, answer.digests))
    digests = {**before, **answer.digests}
    seen = digests_hash({name: digests.get(name, "") for name in context.secret_names})
    return SecretsSet(version=answer.version, seen=seen, changed=changed)


@frozen(kw_only=True)
class MadeVolume:
    """A volume as its step made it."""

    id: str
    region: str | None
    step: CreateVolume


async def create_volume(step: CreateVolume, context: Context) -> MadeVolume:
    """Creates the volume, in a fallback region where its own has no room; its machine follows."""
    regions = (step.request.region, *context.options.fallback_regions)
    return await where_room_is(regions, lambda region: make_volume(step, context, region))


async def make_volume(step: CreateVolume, context: Context, region: str | None) -> MadeVolume:
    """Creates the volume of a step in a region. Raises InsufficientCapacity."""
    request = evolve(step.request, region=region)
    async with context.volume_turn:
        volume = await context.about_app(
            lambda: repeats.create_volume(
                context.client.api, context.app, request, context.known_volumes
            )
        )
    return MadeVolume(id=volume.id or "", region=volume.region or region, step=step)


async def destroy_volume(step: DestroyVolume, context: Context) -> None:
    """Deletes the volume; one that is gone already is fine."""
    await delete_volume(context, step.volume)


async def delete_volume(context: Context, volume: str) -> None:
    """Deletes a volume of the app; one that is gone already is fine."""

    async def delete() -> None:
        with suppress(NotFound):
            await context.client.api.volume_delete(context.app, volume)

    await once_detached(delete, volume)
