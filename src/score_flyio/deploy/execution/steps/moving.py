"""A machine whose host has no room for its new config moves to another host.

An update can only use the present host (Machines API); a new machine can land elsewhere. The old
one stays until the run went well, so that nothing is lost when the new one does not.
"""

from __future__ import annotations

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.execution.context import Context, MadeMachine
from score_flyio.deploy.execution.steps.remembering import remembering
from score_flyio.deploy.metadata import STANDS_FOR, take_over
from score_flyio.deploy.step import UpdateMachine
from score_flyio.errors import InsufficientCapacity
from score_flyio.fly import repeats


async def move(
    step: UpdateMachine,
    context: Context,
    request: models.UpdateMachineRequest,
    refusal: InsufficientCapacity,
) -> MadeMachine:
    """Creates a machine in the place of one that cannot be updated where it is.

    Raises:
        InsufficientCapacity: a volume pins the machine to its host, or there is no room elsewhere.
    """
    config = request.config or models.FlyMachineConfig()
    pinned = next((mount.volume for mount in step.previous.mounts or [] if mount.volume), None)
    if pinned is not None:
        hint = (
            f"volume {pinned} keeps machine {step.machine} on its host, which is full: choose a "
            "smaller size, or fork the volume to another host (flyctl volumes fork) and use that"
        )
        raise InsufficientCapacity(refusal.request, refusal.answer, hint=hint) from refusal
    marks = {**(config.metadata or {}), STANDS_FOR: step.machine}
    old = models.Machine(id=step.machine, config=step.previous)

    async def create(config: models.FlyMachineConfig) -> models.Machine:
        return await repeats.create_machine(
            context.client.api,
            step.app,
            models.CreateMachineRequest(
                config=config,
                region=step.region,
                skip_launch=request.skip_launch,
                min_secrets_version=request.min_secrets_version,
            ),
            take_over(old, f"moved-{step.machine}-{step.instance_id}"),
        )

    machine = await remembering(context, evolve(config, metadata=marks), create)
    made = context.made(machine, launched=not request.skip_launch)
    return evolve(made, left=step.machine)


async def leave(context: Context) -> None:
    """Deletes the machines that others took over from: the run went well."""
    for made in context.results.values():
        if isinstance(made, MadeMachine) and made.left is not None:
            nonce = context.leases.nonce(made.left)
            await repeats.delete_machine(context.client.api, context.app, made.left, nonce=nonce)
            context.leases.release(made.left)
