"""Programs that end together with everything they started, and what they are given to read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import anyio
import anyio.abc

from score_flyio.base.abrupt import undone_at_the_end

GRACE: Final = 5.0
"""Seconds between the request to end and the kill."""


@asynccontextmanager
async def running(
    args: Sequence[str], environ: Mapping[str, str], **streams: Any
) -> AsyncIterator[anyio.abc.Process]:
    """A program in a group of its own; where the block is left early, all that it started ends.

    `streams` are those that it does not give to this process. Raises OSError.
    """
    with anyio.CancelScope(shield=True):  # cancelled in between, it would go on unseen
        process = await anyio.open_process(args, env=environ, start_new_session=True, **streams)
    try:
        with undone_at_the_end(partial(_signal, process, hard=True)):
            yield process
    except BaseException:
        await end_group(process)
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def end_group(process: anyio.abc.Process) -> None:
    """End a program and all it started: politely, and after `GRACE` seconds for certain."""
    at_the_end = undone_at_the_end(partial(_signal, process, hard=True))
    with at_the_end, anyio.CancelScope(shield=True):
        _signal(process, hard=False)
        with anyio.move_on_after(GRACE):
            await process.wait()
        _signal(process, hard=True)
        with anyio.move_on_after(GRACE):
            await process.wait()


async def feed(stdin: anyio.abc.ByteSendStream, content: bytes) -> None:
    """Give a program all that it is to read; it need not read it, or not all of it."""
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, BrokenPipeError):
        await stdin.send(content)
    with suppress(anyio.BrokenResourceError, BrokenPipeError):
        await stdin.aclose()


def _signal(process: anyio.abc.Process, *, hard: bool) -> None:
    # The group may outlive its leader; a group that is gone is what was wanted.
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()  # There are neither groups nor polite requests.
        else:
            os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)
