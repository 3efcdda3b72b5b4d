"""Machines: create, update, destroy, and what moves them in and out of routing."""

from __future__ import annotations

import anyio
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.execution.context import Context, MadeMachine, SecretsSet
from score_flyio.deploy.execution.steps.moving import move
from score_flyio.deploy.execution.steps.remembering import remembering
from score_flyio.deploy.execution.unchanged import Unchanged
from score_flyio.deploy.planning.secrets import SEEN_KEY
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
from score_flyio.errors import InsufficientCapacity
from score_flyio.fly import repeats
from score_flyio.fly.present import metadata


async def create_machine(step: CreateMachine, context: Context) -> MadeMachine:
    """Creates the machine, in a fallback region where its own has no room."""
    request = await _bound(step, context)
    regions = (request.region, *step.fallback_regions)
    for region in regions[:-1]:
        try:
            return await _create(step, context, evolve(request, region=region))
        except InsufficientCapacity:
            continue
    return await _create(step, context, evolve(request, region=regions[-1]))


async def _create(
    step: CreateMachine, context: Context, request: models.CreateMachineRequest
) -> MadeMachine:
    async def create(config: models.FlyMachineConfig) -> models.Machine:
        wanted = evolve(request, config=config)
        return await context.about_app(
            lambda: repeats.create_machine(context.client.api, step.app, wanted, step.launch_id)
        )

    config = request.config or models.FlyMachineConfig()
    machine = await remembering(context, config, create)
    return context.made(machine, launched=not request.skip_launch)


async def _bound(step: CreateMachine, context: Context) -> models.CreateMachineRequest:
    """The request with what others found out: volume, standby target, secrets, release."""
    request = step.request
    config = request.config or models.FlyMachineConfig()
    if step.volume_from is not None:
        volume = context.results[step.volume_from]
        mounts = [evolve((config.mounts or [])[0], volume=volume), *(config.mounts or [])[1:]]
        config = evolve(config, mounts=mounts)
    if step.standby_for is not None:
        target = context.machine(step.standby_for).id
        env = {**(config.env or {}), "FLY_STANDBY_FOR": target}
        config = evolve(config, standbys=[target], env=env)
    secrets = context.secrets(step.secrets_from)
    config = await context.release.stamped(_with_secrets(config, secrets))
    version = secrets.version if secrets else request.min_secrets_version
    return evolve(request, config=config, min_secrets_version=version)


def _with_secrets(
    config: models.FlyMachineConfig, secrets: SecretsSet | None
) -> models.FlyMachineConfig:
    if secrets is None:
        return config
    return evolve(config, metadata={**(config.metadata or {}), SEEN_KEY: secrets.seen})


async def update_machine(step: UpdateMachine, context: Context) -> MadeMachine:
    """Gives the machine its new config, under its lease.

    Raises:
        Unchanged: only secrets could have changed, and they did not.
    """
    secrets = context.secrets(step.secrets_from)
    if step.only_if_secrets_differ and secrets is not None and not _differ(step, secrets):
        context.leases.release(step.machine)
        raise Unchanged(step.machine)
    config = _with_secrets(step.request.config or models.FlyMachineConfig(), secrets)
    config = await context.release.stamped(config)
    version = secrets.version if secrets else step.request.min_secrets_version
    request = evolve(step.request, config=config, min_secrets_version=version)

    async def update(config: models.FlyMachineConfig) -> models.Machine:
        return await repeats.update_machine(
            context.client.api,
            step.app,
            step.machine,
            evolve(request, config=config),
            nonce=context.leases.nonce(step.machine),
            previous_instance_id=step.instance_id,
        )

    try:
        machine = await remembering(context, config, update)
    except InsufficientCapacity as refusal:
        return await move(step, context, request, refusal)
    if step.starts:
        await start(context, step.machine)
    return context.made(machine, launched=not request.skip_launch)


async def start(context: Context, machine: str) -> None:
    """Starts a machine under its lease, as soon as the platform lets it be started."""
    nonce = context.leases.nonce(machine)
    await repeats.start_machine(context.client.api, context.app, machine, nonce=nonce)


def _differ(step: UpdateMachine, secrets: SecretsSet) -> bool:
    """A machine that says which secrets it started with is believed; else any change counts."""
    seen = metadata(models.Machine(config=step.previous)).get(SEEN_KEY)
    return secrets.changed if seen is None else seen != secrets.seen


async def revert_machine(step: RevertMachine, context: Context) -> MadeMachine:
    """The config goes back, and the machine starts anew; one that moved is still where it was."""
    present = context.results.get(f"update:{step.machine}")
    if isinstance(present, MadeMachine) and present.left is not None:
        await repeats.delete_machine(context.client.api, step.app, present.id)
        return evolve(present, id=present.left, instance_id=None, launched=False, left=None)
    request = models.UpdateMachineRequest(
        config=step.config, region=step.region, skip_launch=not step.launch
    )
    machine = await repeats.update_machine(
        context.client.api,
        step.app,
        step.machine,
        request,
        nonce=context.leases.nonce(step.machine),
        previous_instance_id=present.instance_id if isinstance(present, MadeMachine) else None,
    )
    if step.launch:  # the version before may have crashed until it was given up
        await start(context, step.machine)
    return context.made(machine, launched=step.launch)


async def hold_machines(step: HoldMachines, context: Context) -> None:
    """Takes all leases of the plan.

    Raises:
        LeaseHeld: someone else holds one of them; none is kept then.
    """
    await context.leases.hold(step.machines)


async def destroy_machine(step: DestroyMachine, context: Context) -> None:
    """Deletes the machine, and its lease with it."""
    machine = context.machine(step.ref).id
    await repeats.delete_machine(
        context.client.api, step.app, machine, nonce=context.leases.nonce(machine)
    )
    context.leases.release(machine)


async def cordon_machine(step: CordonMachine, context: Context) -> None:
    """Takes the machine out of routing, under its lease."""
    machine = context.machine(step.ref).id
    await context.client.api.machines_cordon(
        step.app, machine, fly_machine_lease_nonce=context.leases.nonce(machine)
    )


async def uncordon_machine(step: UncordonMachine, context: Context) -> None:
    """Puts the machine into routing, under its lease."""
    machine = context.machine(step.ref).id
    await context.client.api.machines_uncordon(
        step.app, machine, fly_machine_lease_nonce=context.leases.nonce(machine)
    )


async def set_metadata(step: SetMetadata, context: Context) -> None:
    """Sets one metadata key, under the lease of the machine."""
    machine = context.machine(step.ref).id
    await context.client.api.machines_upsert_metadata(
        step.app,
        machine,
        step.key,
        models.UpsertMetadataKeyRequest(value=step.value),
        fly_machine_lease_nonce=context.leases.nonce(machine),
    )


async def stop_machine(step: StopMachine, context: Context) -> None:
    """Stops the machine, under its lease, with its own signal and timeout."""
    machine = context.machine(step.ref).id
    nonce = context.leases.nonce(machine)
    await repeats.stop_machine(context.client.api, step.app, machine, nonce=nonce)


async def start_machine(step: StartMachine, context: Context) -> MadeMachine:
    """Starts the machine, under its lease."""
    machine = context.machine(step.ref)
    await start(context, machine.id)
    return evolve(machine, since=anyio.current_time())
