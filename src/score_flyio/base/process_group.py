"""Programs that end together with everything they started, and what they are given to read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Final

import anyio
import anyio.abc

from score_flyio.base.abrupt import undone_at_the_end
from score_flyio.base.printable import printable
from score_flyio.base.record import frozen

KEPT: Final = 200
"""How many of the last lines of a program are kept for messages."""
LONGEST_LINE: Final = 4000
GRACE: Final = 5.0
"""Seconds between the request to end and the kill."""


@asynccontextmanager
async def running(
    args: Sequence[str], environ: Mapping[str, str], content: bytes, **streams: Any
) -> AsyncIterator[anyio.abc.Process]:
    """A program in a group of its own; where the block is left early, all that it started ends.

    It reads `content`: what it has not got when it starts, `feed` gives it. `streams` are those
    that it does not give to this process. Raises OSError.
    """
    streams["start_new_session"] = True
    # Shielded: cancelled in between, it would go on unseen.
    with _pipe_with(content) as stdin, anyio.CancelScope(shield=True):
        process = await anyio.open_process(args, stdin=stdin, env=environ, **streams)
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


async def feed(process: anyio.abc.Process, content: bytes) -> None:
    """Give a program all that it is to read; it need not read it, or not all of it."""
    if process.stdin is None:
        return  # it had all of it at its start
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, BrokenPipeError):
        await process.stdin.send(content)
    with suppress(anyio.BrokenResourceError, BrokenPipeError):
        await process.stdin.aclose()


@contextmanager
def _pipe_with(content: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds all of it, else `PIPE`.

    Were we killed before a program is fed, it would read nothing, and a script may act on that.
    """
    if sys.platform == "win32":  # pipes there always block, so none tells what it cannot hold
        yield subprocess.PIPE
        return
    end, start = os.pipe()
    try:
        with os.fdopen(start, "wb", buffering=0) as pipe:
            os.set_blocking(start, False)
            whole = pipe.write(content) == len(content)
        yield end if whole else subprocess.PIPE
    finally:
        os.close(end)


def _signal(process: anyio.abc.Process, *, hard: bool) -> None:
    # The group may outlive its leader; a group that is gone is what was wanted.
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()  # There are neither groups nor polite requests.
        else:
            os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)


@frozen(kw_only=True)
class Ended:
    """How a program ended."""

    code: int
    """Below 0: the number of the signal that killed it."""
    output: bytes
    """Its standard output, where it was collected."""
    said: tuple[str, ...]
    """Its last lines, of both outputs."""

    @property
    def ending(self) -> str:
        """Its exit code, or what killed it, for messages."""
        return f"exit code {self.code}" if self.code >= 0 else f"signal {-self.code}"


async def run_program(
    args: Sequence[str],
    *,
    environ: Mapping[str, str],
    stdin: bytes = b"",
    listen: Callable[[str], None] | None = None,
) -> Ended:
    """Run a program to its end, in a process group of its own; `environ` is all of its environment.

    `listen` is called with each line that it says; without it, its standard output is collected.

    Raises OSError when it cannot be started. On cancellation it ends with all that it started.
    """
    said: deque[str] = deque(maxlen=KEPT)

    def tell(line: bytes) -> None:
        if line.strip():
            text = printable(line[:LONGEST_LINE].decode("utf-8", "replace").rstrip())
            said.append(text)
            if listen is not None:
                listen(text)

    async with running(list(args), dict(environ), stdin) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        output = bytearray()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed, process, stdin)
            tasks.start_soon(_lines, process.stderr, tell)
            if listen is not None:
                tasks.start_soon(_lines, process.stdout, tell)
            else:
                async for chunk in process.stdout:
                    output += chunk
        code = await process.wait()
    return Ended(code=code, output=bytes(output), said=tuple(said))


async def _lines(stream: anyio.abc.ByteReceiveStream, tell: Callable[[bytes], None]) -> None:
    rest = b""
    async for chunk in stream:
        *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            tell(line)
        rest = rest[-LONGEST_LINE:]
    tell(rest)
