"""Programs that this package runs: builders and credential helpers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import anyio
import anyio.abc

from score_flyio.base.printable import printable
from score_flyio.base.process_group import feed, running
from score_flyio.base.record import frozen

KEPT: Final = 200
"""How many of the last lines are kept for messages."""
LONGEST_LINE: Final = 4000


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
