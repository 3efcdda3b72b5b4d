"""The process of one machine, from its start to its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from typing import Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from attrs import define, field

from fly_emulator.durations import seconds_of
from fly_emulator.records import Json

if sys.platform == "win32":  # where machines cannot be run
    KILL = PAUSE = RESUME = signal.SIGTERM
else:
    KILL, PAUSE, RESUME = signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT
MISSING: Final = 127
"""Exit code of a program that cannot be started."""
_USUAL_STOP: Final = 5.0
_LONGEST_LINE: Final = 16_384
_WAIT_FOR_OUTPUT: Final = 0.2
"""Seconds that a pipe may stay open after the process has ended, held by what it started."""


@define(eq=False, kw_only=True)
class MachineProcess:
    """A process, and what it is to do next."""

    config: Json
    words: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    ports: dict[int, int]
    """Its own port for each port of the machine."""
    printed: Callable[[str], None]
    """Takes each line of its output."""
    stopping: bool = False
    """Whether it was asked to end."""
    paused: bool = False
    ended: bool = False
    _process: Process | None = None
    _wanted: list[int] = field(factory=list)
    """Signals to send as soon as there is a process."""

    @property
    def stop_timeout(self) -> float:
        """Seconds from the signal until it is ended by force."""
        given = seconds_of((self.config.get("stop_config") or {}).get("timeout"))
        return _USUAL_STOP if given is None else given

    @property
    def stop_signal(self) -> int:
        name = (self.config.get("stop_config") or {}).get("signal") or "SIGINT"
        return int(getattr(signal, name, signal.SIGINT))

    async def run(self) -> int:
        """Run it to its end; gives the exit code. Cancelled, it ends by force."""
        try:
            with anyio.CancelScope(shield=True):  # cancelled in between, it would go on unseen
                process = self._process = await anyio.open_process(
                    list(self.words),
                    stdin=DEVNULL,
                    stdout=PIPE,
                    stderr=STDOUT,
                    env=self.environ,
                    cwd=self.folder,
                    start_new_session=True,
                )
        except OSError as error:
            self.ended = True
            self.printed(f"{self.words[0]}: {error.strerror}")
            return MISSING
        try:
            for number in self._wanted:
                self.send(number)
            return await self._outlive(process)
        finally:
            self.ended = True
            with anyio.CancelScope(shield=True):
                self.send(KILL)
                await process.wait()
                await process.aclose()

    async def _outlive(self, process: Process) -> int:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, process)
            code = await process.wait()
            self.send(KILL)
            tasks.cancel_scope.deadline = anyio.current_time() + _WAIT_FOR_OUTPUT
        return code if code >= 0 else 128 - code

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        stream = BufferedByteReceiveStream(process.stdout)
        while True:
            try:
                line = await stream.receive_until(b"\n", _LONGEST_LINE)
            except anyio.DelimiterNotFound:
                line = await stream.receive_exactly(_LONGEST_LINE)
            except anyio.IncompleteRead:
                if stream.buffer:
                    self.printed(stream.buffer.decode(errors="replace"))
                return
            except anyio.ClosedResourceError:
                return
            self.printed(line.decode(errors="replace").rstrip("\r"))

    def send(self, number: int) -> None:
        """Send a signal to it and all that it started."""
        if self._process is None:
            self._wanted.append(number)
            return
        if sys.platform == "win32":
            self._process.send_signal(signal.Signals(number))
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def pause(self) -> None:
        """Let it do nothing until it is resumed."""
        self.paused = True
        self.send(PAUSE)

    def resume(self) -> None:
        self.paused = False
        self.send(RESUME)
