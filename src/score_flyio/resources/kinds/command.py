"""Provisioners that are programs: the request on stdin, the answer on stdout.

Environment and working folder are inherited, stderr passes through. The program runs in a process
group of its own, so that on cancellation everything it started ends with it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping

import anyio
import anyio.abc

from score_flyio.base.printable import system_reason
from score_flyio.base.process_group import end_group, feed, running
from score_flyio.base.record import frozen
from score_flyio.net.credentials import OF_THE_STATE
from score_flyio.resources.define import BUILT_IN, MODE_VARIABLE
from score_flyio.resources.protocol import (
    MAX_ANSWER,
    Calling,
    Mode,
    call_failed,
    encode_request,
    understand,
)
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.score.resources import JsonObject
from score_flyio.state.resources import CommandSpec
from score_flyio.state.targets import TARGET_VARIABLE

LINGER = 2.0
"""Seconds for the end of stdout after that of the program."""


@frozen(kw_only=True)
class CommandProvisioner(Calling):
    """Runs `spec` once for each resource."""

    id: str
    spec: CommandSpec
    timeout: float = math.inf
    """Seconds for one call."""
    environ: Mapping[str, str] | None = None
    """None: the environment of this process."""
    more: Callable[[ProvisionRequest], JsonObject] | None = None
    """Gives further members of the request."""

    @property
    def uses_shared(self) -> bool | None:
        return True if self.spec.args[:1] == (BUILT_IN,) else None

    async def call(self, mode: Mode, request: ProvisionRequest) -> ProvisionResult:
        body = encode_request(request, None if self.more is None else self.more(request))
        try:
            with anyio.fail_after(self.timeout):
                answer, failure = await self._run(mode, body, request.target)
        except TimeoutError:
            message = f"'{self.spec.binary}' did not end within {self.timeout:g} s and was stopped"
            raise call_failed(request, self.id, message) from None
        except (OSError, ValueError) as error:
            reason = system_reason(error)
            message = f"'{self.spec.binary}' cannot be run: {reason}"
            hint = "see that it is there and executable, and the interpreter of its first line, too"
            raise call_failed(request, self.id, message, hint=hint) from error
        return understand(answer, failure, mode=mode, request=request, provisioner=self.id)

    async def _run(self, mode: Mode, body: bytes, target: str) -> tuple[bytes, str | None]:
        """What it printed, and why it failed."""
        environ = os.environ if self.environ is None else self.environ
        own = {n: v for n, v in environ.items() if n not in OF_THE_STATE}
        async with running(
            [self.spec.binary, *(arg.replace(f"${MODE_VARIABLE}", mode) for arg in self.spec.args)],
            {**own, MODE_VARIABLE: mode, TARGET_VARIABLE: target},
            body,
            stderr=None,
        ) as process:
            output = await _exchange(process, body)
        if len(output) > MAX_ANSWER:
            return output, f"printed more than {MAX_ANSWER} bytes"
        return output, _ending(process.returncode or 0)


async def _exchange(process: anyio.abc.Process, body: bytes) -> bytes:
    """Feed stdin and read stdout at the same time, so that neither side waits for the other."""
    output, read = bytearray(), anyio.Event()

    async def collect() -> None:
        assert process.stdout is not None
        async for chunk in process.stdout:
            output.extend(chunk)
            if len(output) > MAX_ANSWER:
                await end_group(process)
                break
        read.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed, process, body)
        tasks.start_soon(collect)
        await process.wait()
        # What it left running may hold stdout open for ever; what it wrote itself is there by now.
        with anyio.move_on_after(LINGER):
            await read.wait()
        tasks.cancel_scope.cancel()
    return bytes(output)


def _ending(returncode: int) -> str | None:
    if returncode < 0:
        return f"killed by signal {-returncode}"
    return f"exit code {returncode}" if returncode else None
