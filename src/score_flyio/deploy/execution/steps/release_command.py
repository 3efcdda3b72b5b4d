"""Runs the release command in a machine of its own and reads its exit code."""

from __future__ import annotations

import anyio
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.execution.health import GONE_AFTER
from score_flyio.deploy.planning.secrets import SEEN_KEY
from score_flyio.deploy.step import RunReleaseCommand
from score_flyio.deploy.verdict import exit_code, exit_data
from score_flyio.errors import NotFound, ReleaseCommandFailed, RequestTimedOut
from score_flyio.fly import repeats

WAIT_SECONDS = 60
"""The longest that one wait call may ask for."""


async def run_release_command(step: RunReleaseCommand, context: Context) -> None:
    """Raises ReleaseCommandFailed with the exit code, or when it did not end in time."""
    request = await _bound(step, context)
    machine = await context.about_app(
        lambda: repeats.create_machine(context.client.api, step.app, request, step.launch_id)
    )
    machine_id = machine.id or ""
    try:
        with anyio.fail_after(step.timeout):
            ended = await _until_ended(step, context, machine_id)
    except TimeoutError as error:
        await _remove(context, machine_id)
        raise ReleaseCommandFailed(
            f"app {step.app}: release command `{step.command}` did not end within "
            f"{step.timeout:g} s",
            hint="raise --release-command-timeout, or look at what it waits for",
        ) from error
    except BaseException:
        await _remove(context, machine_id)
        raise
    code = exit_code(ended)
    if code != 0:
        killed = ", out of memory" if ended.get("oom_killed") else ""
        raise ReleaseCommandFailed(
            f"app {step.app}: release command `{step.command}` ended with exit code "
            f"{code}{killed}; nothing else was changed",
            hint=f"read the logs of machine {machine_id}",
        )


async def _bound(step: RunReleaseCommand, context: Context) -> models.CreateMachineRequest:
    secrets = context.secrets(step.secrets_from)
    request = evolve(step.request, skip_launch=None, lease_ttl=None)
    config = await context.release.stamped(request.config or models.FlyMachineConfig())
    if secrets is None:
        return evolve(request, config=config)
    metadata = {**(config.metadata or {}), SEEN_KEY: secrets.seen}
    config = evolve(config, metadata=metadata)
    return evolve(request, config=config, min_secrets_version=secrets.version)


async def _until_ended(
    step: RunReleaseCommand, context: Context, machine_id: str
) -> dict[str, object]:
    """Waits until the machine is gone or stopped, and reads how its process ended."""
    while True:
        try:
            await context.client.api.machines_wait(
                step.app, machine_id, state=["destroyed", "stopped"], timeout=WAIT_SECONDS
            )
        except RequestTimedOut:
            continue
        except NotFound:  # gone already, or not to be seen yet: the events tell
            break
        break
    return await _how_it_ended(step, context, machine_id)


async def _how_it_ended(
    step: RunReleaseCommand, context: Context, machine_id: str
) -> dict[str, object]:
    pause = 0.2
    while True:
        machine = await repeats.once_visible(
            lambda: context.client.api.machines_show(step.app, machine_id), within=GONE_AFTER
        )
        for event in machine.events or []:
            if event.type == "exit":
                return exit_data(event)
        await anyio.sleep(pause)
        pause = min(2.0, pause * 2)


async def _remove(context: Context, machine_id: str) -> None:
    with anyio.move_on_after(5, shield=True):
        await repeats.delete_machine(context.client.api, context.app, machine_id)
