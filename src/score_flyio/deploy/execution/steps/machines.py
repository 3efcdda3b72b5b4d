"""Machines: create, update, destroy, and what moves them in and out of routing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import anyio

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.desired.requests import standing_by
from score_flyio.deploy.execution.context import (
    Context,
    MadeMachine,
    Outdated,
    Request,
    SecretsSet,
    Unchanged,
)
from score_flyio.deploy.execution.room import where_room_is
from score_flyio.deploy.execution.steps.app import MadeVolume, delete_volume, make_volume
from score_flyio.deploy.metadata import (
    HISTORY,
    TO_START,
    Marks,
    as_seen,
    in_place_of,
    is_own,
    take_over,
    without_marks,
)
from score_flyio.deploy.releases.in_metadata import without_history
from score_flyio.deploy.step import (
    CordonMachine,
    CreateMachine,
    DestroyMachine,
    HoldMachines,
    RevertMachine,
    SetMetadata,
    StartMachine,
    StopMachine,
    UncordonMachine,
    UpdateMachine,
)
from score_flyio.errors import (
    InsufficientCapacity,
    InvalidRequest,
    LeaseHeld,
    NotFound,
    RequestTimedOut,
)
from score_flyio.fly import repeats
from score_flyio.fly.present import living
from score_flyio.fly.volumes import once_detached

_UNUSED: Final = "; destroy it where nothing is on it (flyctl volumes destroy)"
"""What else can be done with a volume that is in no machine."""
_TOO_LARGE: Final = 413
_UNTIL_STOPPED: Final = 60
"""Seconds: the longest that the platform waits in one call."""


async def create_machine(step: CreateMachine, context: Context) -> MadeMachine:
    """Creates the machine, in a fallback region where its own has no room.

    Raises InsufficientCapacity: there is none, or not beside a volume that was there before.
    """
    request = await _bound(step, context)
    try:
        return await where_room_is(
            _regions(request, context),
            lambda region: _create(step, context, evolve(request, region=region)),
        )
    except InsufficientCapacity as refusal:
        if step.volume_from is None:
            pinned = _pinned(refusal, request.config, "the new machine", _UNUSED)
            raise (pinned or refusal) from refusal.__cause__
    first: MadeVolume = context.results[step.volume_from]
    return await where_room_is(
        (first.region, *context.options.fallback_regions),
        lambda region: _create_elsewhere(step, first.step, context, region),
    )


async def _create_elsewhere(
    step: CreateMachine, of_volume: CreateVolume, context: Context, region: str | None
) -> MadeMachine:
    """Creates the machine with another volume, on another host.

    The volume before it was made by this run, and nothing is on it. It goes when the new one is
    there, which therefore is not put beside it.
    """
    before: MadeVolume = context.results[of_volume.id]
    context.results[of_volume.id] = await make_volume(of_volume, context, region)
    await delete_volume(context, before.id)
    return await _create(step, context, await _bound(step, context))


def _pinned(
    refusal: InsufficientCapacity,
    config: models.FlyMachineConfig | None,
    machine: str,
    also: str = "",
) -> InsufficientCapacity | None:
    """The refusal with the way out where a volume keeps a machine on its host."""
    volume = _volume_of(config)
    if volume is None:
        return None
    hint = (
        f"volume {volume} keeps {machine} on its host, which is full: choose a "
        f"smaller size, or fork the volume to another host (flyctl volumes fork) and use that{also}"
    )
    return InsufficientCapacity(refusal.request, refusal.answer, hint=hint)


def _volume_of(config: models.FlyMachineConfig | None) -> str | None:
    mounts = (config.mounts if config else None) or []
    return next((mount.volume for mount in mounts if mount.volume), None)


def _regions(request: models.CreateMachineRequest, context: Context) -> tuple[str | None, ...]:
    """Where the machine may be created, the first one first; a volume pins it to its own region."""
    pinned = request.config and request.config.mounts
    return request.region, *(() if pinned else context.options.fallback_regions)


async def _create(
    step: CreateMachine, context: Context, request: models.CreateMachineRequest
) -> MadeMachine:
    machine = await _remembering(
        context,
        evolve(request, config=_marked(request)),
        lambda wanted: once_detached(
            lambda: context.create(wanted, step.launch_id), _volume_of(request.config)
        ),
    )
    return context.made(machine, launched=not request.skip_launch)


async def _bound(step: CreateMachine, context: Context) -> models.CreateMachineRequest:
    """The request with what others found out: volume, standby target, secrets, release."""
    request, config = step.request, step.config
    if step.volume_from is not None:
        volume: MadeVolume = context.results[step.volume_from]
        mounts = [evolve((config.mounts or [])[0], volume=volume.id), *(config.mounts or [])[1:]]
        config = evolve(config, mounts=mounts)
        request = evolve(request, region=volume.region)
    return await context.bound(request, _standing_by(step, context, config), step.secrets_from)


def _standing_by(
    step: CreateMachine | UpdateMachine, context: Context, config: models.FlyMachineConfig
) -> models.FlyMachineConfig:
    if not step.standby_for:
        return config
    return standing_by(config, [context.machine(target).id for target in step.standby_for])


def _marked(
    request: models.CreateMachineRequest | models.UpdateMachineRequest,
) -> models.FlyMachineConfig:
    """The config, which tells whether the machine is to run: this run may end before it does."""
    config = request.config or models.FlyMachineConfig()
    if request.skip_launch:
        return without_marks(config, {TO_START})
    return Marks(to_start="true").stamp(config)


async def update_machine(step: UpdateMachine, context: Context) -> MadeMachine:
    """Gives the machine its new config, under its lease.

    Raises Unchanged: only secrets could have changed, and they did not.
    """
    secrets = context.secrets(step.secrets_from)
    if step.only_if_secrets_differ and secrets is not None and not _differ(step, secrets):
        context.leases.release(step.machine)
        raise Unchanged(step.machine)
    config = _standing_by(step, context, _marked(step.request))
    request = await context.bound(step.request, config, step.secrets_from)

    updated = False
    try:
        machine = await _remembering(
            context,
            request,
            lambda wanted: _update(context, step.machine, wanted, step.instance_id),
        )
        updated = True
        if step.starts:
            await start(context, step.machine)
    except InsufficientCapacity as refusal:
        moved = await _move(step, context, request, refusal)
        return evolve(moved, left_updated=updated)
    return context.made(machine, launched=not request.skip_launch)


async def _update(
    context: Context, machine: str, request: models.UpdateMachineRequest, before: str | None
) -> models.Machine:
    nonce = await context.nonce(machine)
    return await repeats.update_machine(
        context.client.api, context.app, machine, request, nonce=nonce, previous_instance_id=before
    )


async def start(context: Context, machine: str) -> None:
    """Starts a machine under its lease, as soon as the platform lets it be started."""
    nonce = await context.nonce(machine)
    await repeats.start_machine(context.client.api, context.app, machine, nonce=nonce)


async def _move(
    step: UpdateMachine,
    context: Context,
    request: models.UpdateMachineRequest,
    refusal: InsufficientCapacity,
) -> MadeMachine:
    """Creates a machine in the place of one whose host has no room for its new config.

    An update and a start can only use the present host (Machines API); a new machine can land
    elsewhere, also in a fallback region. The old one stays until the run went well, so that nothing
    is lost when the new one does not.

    Raises InsufficientCapacity: a volume pins the machine to its host, or there is no room
    elsewhere.
    """
    pinned = _pinned(refusal, step.previous, f"machine {step.machine}")
    if pinned is not None:
        raise pinned from refusal
    old = models.Machine(id=step.machine, config=step.previous)
    wanted = models.CreateMachineRequest(
        config=in_place_of(request.config or models.FlyMachineConfig(), step.machine),
        region=step.region,
        skip_launch=request.skip_launch,
        min_secrets_version=request.min_secrets_version,
    )

    launch_id = take_over(old, f"moved-{step.machine}-{step.instance_id}")
    machine = await where_room_is(
        _regions(wanted, context),
        lambda region: _remembering(
            context, evolve(wanted, region=region), lambda here: context.create(here, launch_id)
        ),
    )
    return evolve(context.made(machine, launched=not request.skip_launch), left=step.machine)


async def leave(context: Context) -> None:
    """Deletes the machines that others took over from: the run went well."""
    for made in context.results.values():
        if isinstance(made, MadeMachine) and made.left is not None:
            await delete(context, made.left)


def _differ(step: UpdateMachine, secrets: SecretsSet) -> bool:
    """A machine that says which secrets it started with is believed; else any change counts."""
    seen = Marks.of(models.Machine(config=step.previous)).secrets_seen
    return secrets.changed if seen is None else seen != secrets.seen


async def revert_machine(step: RevertMachine, context: Context) -> MadeMachine:
    """The config goes back, and the machine starts anew; one that moved is still where it was.

    Nothing is done to one that the platform put back itself: it may never have stopped.
    """
    present, launch = context.updated.get(step.machine), step.launch
    if step.machine in context.health.put_back:
        return MadeMachine(id=step.machine)
    if present is not None and present.left is not None:
        await delete(context, present.id)
        present = evolve(present, id=present.left, instance_id=None, launched=False, left=None)
        if not present.left_updated:
            return present
        launch = False  # it did not run before, and its host has no room for it
    request = models.UpdateMachineRequest(
        config=step.config, region=step.region, skip_launch=not launch
    )
    request = evolve(request, config=_marked(request))
    before = present.instance_id if present else None
    machine = await _update(context, step.machine, request, before)
    if launch:  # the version before may have crashed until it was given up
        await start(context, step.machine)
    return context.made(machine, launched=launch)


async def hold_machines(step: HoldMachines, context: Context) -> None:
    """Takes all leases of the plan, then looks whether the app is still as it was planned for.

    The leases tell the versions of their machines; what else came or changed, one list does.

    Raises:
        LeaseHeld: someone else holds one of them; none is kept then.
        Outdated: the app changed since.
    """
    leases = context.leases
    await leases.hold(step.machines, at_last=step.in_the_making)
    for machine in (*step.machines, *step.in_the_making):
        before, granted = step.seen.get(machine, ""), leases.version(machine)
        if leases.is_gone(machine):
            raise Outdated(f"machine {machine} is gone")
        if granted is not None and granted != before.partition(" ")[0]:
            raise Outdated(f"machine {machine} has got another config")
    try:
        listed = await context.client.api.machines_list(context.app)
    except NotFound as error:
        raise Outdated("the app is gone") from error
    alive = {machine.id or "": machine for machine in listed if living(machine)}
    for machine, found in sorted(alive.items()):
        before = step.seen.get(machine, "")
        if before != as_seen(found) and (step.everything or is_own(found)):
            what = f"machine {machine} has got another config"
            raise Outdated(what if before else f"there is a new machine {machine}")
    for machine in sorted(step.seen.keys() - alive.keys()):
        if not await _is_there(context, machine):  # a list may lack machines for a while
            raise Outdated(f"machine {machine} is gone")


async def _is_there(context: Context, machine: str) -> bool:
    try:
        return living(await context.client.api.machines_show(context.app, machine))
    except NotFound:
        return False


async def destroy_machine(step: DestroyMachine, context: Context) -> None:
    """Deletes the machine, and its lease with it.

    Raises Unchanged for one of another run that lives, where that is to be left alone.
    """
    machine = context.machine(step.target).id
    if step.unless_held:
        try:
            await context.leases.hold([machine], wait=0)
        except LeaseHeld:
            raise Unchanged(machine) from None
    if step.serves:
        await _stop(context, machine)
        with suppress(RequestTimedOut, NotFound, InvalidRequest):
            await context.client.api.machines_wait(
                context.app, machine, state=["stopped", "destroyed"], timeout=_UNTIL_STOPPED
            )
    await delete(context, machine)


async def _stop(context: Context, machine: str) -> None:
    nonce = await context.nonce(machine)
    await repeats.stop_machine(context.client.api, context.app, machine, nonce=nonce)


async def delete(context: Context, machine: str) -> None:
    """Deletes a machine under its lease, which goes with it."""
    nonce = await context.nonce(machine)
    await repeats.delete_machine(context.client.api, context.app, machine, nonce=nonce)
    context.leases.forget(machine)


async def set_routing(step: CordonMachine | UncordonMachine, context: Context) -> None:
    """Takes the machine out of routing, or puts it in, under its lease."""
    api, machine = context.client.api, context.machine(step.target).id
    call = api.machines_cordon if isinstance(step, CordonMachine) else api.machines_uncordon
    await call(context.app, machine, fly_machine_lease_nonce=await context.nonce(machine))


async def set_metadata(step: SetMetadata, context: Context) -> None:
    """Sets one metadata key, under the lease of the machine."""
    machine = context.machine(step.target).id
    await context.client.api.machines_upsert_metadata(
        context.app,
        machine,
        step.key,
        models.UpsertMetadataKeyRequest(value=step.value),
        fly_machine_lease_nonce=await context.nonce(machine),
    )


async def stop_machine(step: StopMachine, context: Context) -> None:
    """Stops the machine, under its lease, with its own signal and timeout."""
    await _stop(context, context.machine(step.target).id)


async def start_machine(step: StartMachine, context: Context) -> MadeMachine:
    """Starts the machine, under its lease."""
    machine = context.machine(step.target)
    await start(context, machine.id)
    return evolve(machine, since=anyio.current_time())


async def _remembering(
    context: Context, request: Request, send: Callable[[Request], Awaitable[models.Machine]]
) -> models.Machine:
    """Sends a config; without the history of releases where the platform refuses that.

    How large metadata may be is not documented, so a refusal of it must not end a deploy.
    """
    config = request.config or models.FlyMachineConfig()
    forgetting = evolve(request, config=without_history(config))
    if context.history_refused or HISTORY not in (config.metadata or {}):
        return await send(forgetting)
    try:
        return await send(request)
    except InvalidRequest as refusal:
        if refusal.status != _TOO_LARGE and "metadata" not in refusal.answer.message.lower():
            raise
        if not context.history_refused:
            context.history_refused = True
            context.warn(
                "Fly refuses to keep the history of releases in the metadata of machines:"
                f" {refusal.message}; the project state alone remembers them",
                "history_refused",
            )
        return await send(forgetting)
