"""Release commands and machine checks: a command in a machine of its own, and its exit code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import anyio

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.special import TESTED_ADDRESS
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.execution.health import GONE_AFTER
from score_flyio.deploy.execution.room import where_room_is
from score_flyio.deploy.execution.steps.machines import delete
from score_flyio.deploy.step import RunCommand, RunMachineCheck, RunReleaseCommand
from score_flyio.deploy.verdict import exit_code, exit_data, told_exit
from score_flyio.errors import (
    FlyConnectionError,
    FlyError,
    InsufficientCapacity,
    InvalidRequest,
    MachineCheckFailed,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ReleaseCommandFailed,
    RequestTimedOut,
)
from score_flyio.fly import repeats
from score_flyio.fly.errors import is_doubtful

T = TypeVar("T")

WAIT_SECONDS = 60
"""The longest that one wait call may ask for."""
NEVER_STARTED = frozenset({"failed", "launch_failed"})
"""States of a machine whose process did not even begin."""
AT_AN_END = NEVER_STARTED | {"stopped", "destroying", "destroyed"}
"""States of a machine in which no process will run any more."""
EXIT_TOLD_WITHIN = 10.0
"""Seconds in which such a machine must tell how its process ended, if one began."""
BETWEEN_LOOKS: Final = 2.0
"""Seconds until the next look after one that failed; a command that runs may take long."""


class _Failed(Exception):
    """The command did not end well; the text says how."""

    def __init__(self, how: str, hint: str | None, machine: str | None) -> None:
        super().__init__(how)
        self.hint = hint
        self.machine = machine


async def run_release_command(step: RunReleaseCommand, context: Context) -> None:
    """Raises ReleaseCommandFailed with the exit code, or when it did not end in time."""
    try:
        await _run(step, step.request, context, raise_with="--release-command-timeout")
    except _Failed as failure:
        raise ReleaseCommandFailed(
            f"app {context.app}: release command `{step.command}` {failure}; "
            "nothing else was changed",
            hint=failure.hint,
            machine=failure.machine,
        ) from failure


async def run_machine_check(step: RunMachineCheck, context: Context) -> None:
    """Tests a machine that was launched; its address is known only now.

    Raises MachineCheckFailed with the exit code, or when the command did not end in time.
    """
    made = context.machine(step.target)
    if not made.launched:
        return
    tested = await context.client.api.machines_show(context.app, made.id)
    config = step.request.config or models.FlyMachineConfig()
    env = {**(config.env or {}), TESTED_ADDRESS: tested.private_ip or ""}
    region = tested.region or step.request.region
    request = evolve(step.request, config=evolve(config, env=env), region=region)
    try:
        await _run(step, request, context, raise_with="--wait-timeout")
    except _Failed as failure:
        raise MachineCheckFailed(
            f"app {context.app}: machine check `{step.command}` of group {step.group} {failure}; "
            f"it tested machine {made.id}",
            hint=failure.hint,
            machine=failure.machine,
        ) from failure


async def _run(
    step: RunCommand,
    request: models.CreateMachineRequest,
    context: Context,
    *,
    raise_with: str,
) -> None:
    """Raises _Failed where the command ends badly, or not in time."""
    config = request.config or models.FlyMachineConfig()
    bound = await context.bound(evolve(request, skip_launch=None), config, step.secrets_from)
    try:
        machine = await where_room_is(
            (bound.region, *context.options.fallback_regions),
            lambda region: context.create(evolve(bound, region=region), step.launch_id),
        )
    except (InsufficientCapacity, PreconditionFailed) as refusal:
        raise _Failed(f"was never run: {refusal}", refusal.hint, None) from refusal
    machine_id = machine.id or ""
    try:
        with anyio.fail_after(step.timeout):
            ended = await _until_ended(context, machine_id)
    except BaseException as error:
        with anyio.move_on_after(5, shield=True):
            await delete(context, machine_id)
        if not isinstance(error, TimeoutError):
            raise
        raise _Failed(
            f"did not end within {step.timeout:g} s",
            f"raise {raise_with}, or look at what it waits for",
            machine_id,
        ) from error
    context.leases.forget(machine_id)  # it was made to go by itself
    if exit_code(ended) != 0:
        hint = f"read the logs of machine {machine_id}"
        raise _Failed(f"ended with {told_exit(ended)}", hint, machine_id)


async def _until_ended(context: Context, machine_id: str) -> dict[str, object]:
    """Waits until the machine is gone or stopped, and reads how its process ended."""
    api, states = context.client.api, ["destroyed", "stopped", "failed"]
    # No such state can be reached any more, gone, or not seen yet: the events tell.
    with suppress(NotFound, NotAuthorized, InvalidRequest):
        await _persistently(
            lambda: api.machines_wait(context.app, machine_id, state=states, timeout=WAIT_SECONDS)
        )
    return await _how_it_ended(context, machine_id)


async def _persistently(look: Callable[[], Awaitable[T]]) -> T:
    """What a look tells; one that fails says nothing of the command, which goes on meanwhile."""
    while True:
        try:
            return await look()
        except RequestTimedOut:
            continue
        except FlyError as error:
            if not (is_doubtful(error) or isinstance(error, FlyConnectionError | RateLimited)):
                raise
        await anyio.sleep(BETWEEN_LOOKS)


async def _how_it_ended(context: Context, machine_id: str) -> dict[str, object]:
    show, pause, patience = context.client.api.machines_show, 0.2, EXIT_TOLD_WITHIN
    while True:
        try:
            machine = await _persistently(
                lambda: repeats.once_visible(
                    lambda: show(context.app, machine_id), within=GONE_AFTER
                )
            )
        except NotFound:
            raise _without_exit(models.Machine(id=machine_id, state="destroyed")) from None
        for event in machine.events or []:
            if event.type == "exit":
                return exit_data(event)
        if machine.state in NEVER_STARTED or (machine.state in AT_AN_END and patience <= 0):
            raise _without_exit(machine)
        await anyio.sleep(pause)
        patience -= pause if machine.state in AT_AN_END else 0.0
        pause = min(2.0, pause * 2)


def _without_exit(machine: models.Machine) -> _Failed:
    """A machine that runs no more, and says nothing of how its process ended."""
    ran = any(event.type == "start" and event.status == "started" for event in machine.events or [])
    how = "left no exit code" if ran or not machine.events else "was never run"
    hint = f"read the logs of machine {machine.id}"
    hint += "" if ran else "; its image or its size may be wrong"
    return _Failed(f"{how}: its machine is in state {machine.state}", hint, machine.id)
