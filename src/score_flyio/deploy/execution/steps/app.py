"""Apps, their addresses and their certificates."""

from __future__ import annotations

from fly_machines import models
from score_flyio.deploy.app_step import (
    AddCertificate,
    AllocateAddress,
    CreateApp,
    DestroyApp,
    ReleaseAddress,
    RemoveCertificate,
)
from score_flyio.deploy.execution.context import Context
from score_flyio.errors import NotFound
from score_flyio.fly import repeats


async def create_app(step: CreateApp, context: Context) -> None:
    """Makes the app unless it is there.

    Raises:
        NameTaken: someone else has the name.
    """
    await repeats.create_app(context.client.api, step.app, step.org)
    context.app_is_new = True


async def allocate_address(step: AllocateAddress, context: Context) -> str | None:
    """Gives the address, as text."""
    request = models.AssignIPRequest(type=step.kind, region=step.region)
    address = await context.about_app(
        lambda: repeats.assign_ip(context.client.api, step.app, request, context.known_addresses)
    )
    return address.ip


async def add_certificate(step: AddCertificate, context: Context) -> None:
    """One that was asked for before, by a lost call or by a person, is fine."""
    api, own = context.client.api, step.own
    if own is None:
        await context.about_app(lambda: repeats.ask_for_certificate(api, step.app, step.hostname))
        return
    request = models.CreateCustomCertificateRequest(
        hostname=step.hostname, fullchain=own.fullchain, private_key=own.private_key.reveal()
    )
    await api.app_certificates_custom_create(step.app, request)


async def remove_certificate(step: RemoveCertificate, context: Context) -> None:
    """Takes them away; a host name that has none any more is fine."""
    try:
        await context.client.api.app_certificates_delete(step.app, step.hostname)
    except NotFound:
        return


async def release_address(step: ReleaseAddress, context: Context) -> None:
    """Gives the address back; one that is gone already is fine."""
    try:
        await context.client.api.app_ip_assignments_delete(step.app, step.address)
    except NotFound:
        return


async def destroy_app(step: DestroyApp, context: Context) -> None:
    """Deletes the app by force; one that is gone already is fine."""
    try:
        await context.client.api.apps_delete(step.app, force=True)
    except NotFound:
        return
