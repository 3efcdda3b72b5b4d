"""Runs an async command, and ends it cleanly on Ctrl-C, SIGTERM, or a terminal that closes."""

import os
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskStatus

from score_flyio.base.abrupt import undo_all
from score_flyio.cli.signals import INTERRUPTED, ending
from score_flyio.net import in_flight

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext


def run_command(work: Awaitable[int | None], cli: "CliContext") -> int:
    """Run a command in an event loop; returns its exit code and raises what it raises.

    Raises KeyboardInterrupt: a signal ended it, after it had time to clean up.
    """
    return anyio.run(_supervise, work, cli)


async def _supervise(work: Awaitable[int | None], cli: "CliContext") -> int:
    exit_code: int | None = None
    failure: Exception | None = None
    command = anyio.CancelScope()
    calls = in_flight.InFlight()
    in_flight.WATCHED.set(calls)
    async with anyio.create_task_group() as tasks:
        # On Windows asyncio cannot handle signals; Ctrl-C cancels this task there.
        if sys.platform != "win32":
            await tasks.start(_cancel_on_signal, command, cli)
        tasks.start_soon(_tell_of_hanging, calls, cli)
        with command:
            try:
                exit_code = await work
            except Exception as error:  # noqa: BLE001  # raised again outside the task group
                failure = error
        tasks.cancel_scope.cancel()
    if command.cancel_called:
        raise KeyboardInterrupt from failure
    if failure is not None:
        raise failure
    return exit_code or 0


async def _tell_of_hanging(calls: in_flight.InFlight, cli: "CliContext") -> None:
    while True:
        await anyio.sleep(in_flight.LOOKS)
        for what in calls.hanging():
            cli.output.info(f"{what}: no answer yet after {in_flight.HANGS_AFTER:g} s")


async def _cancel_on_signal(
    command: anyio.CancelScope,
    cli: "CliContext",
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(*ending()) as signals:
        task_status.started()
        interrupted = False
        async for _ in signals:
            if interrupted:
                undo_all()
                os._exit(INTERRUPTED)
            interrupted = True
            cli.output.warn("interrupted: cleaning up; interrupt again to end at once")
            for end in cli.ends_by or (command.cancel,):
                end()
