"""The checks of a running machine: real requests and connections to its process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import h11
from attrs import frozen

from fly_emulator.documents import named_checks
from fly_emulator.durations import seconds_of
from fly_emulator.http import GONE, LOOPBACK, Side
from fly_emulator.records import Json

USUAL_INTERVAL: Final = 15.0
USUAL_TIMEOUT: Final = 10.0
_WHILE_FAILING: Final = 0.2
"""Seconds between looks at a process that does not pass: it may at any time."""
_MOST_SHOWN: Final = 200


@frozen
class Finding:
    """What one look found."""

    passes: bool
    output: str


_UNANSWERED: Final = Finding(passes=False, output="the connection ended without an answer")
Tell = Callable[[str, Finding], Awaitable[None]]
"""Takes the name of a check, and what it found."""


async def watch(config: Json, ports: dict[int, int], tell: Tell) -> None:
    """Run all checks of a machine, until cancelled."""
    async with anyio.create_task_group() as tasks:
        for name, check in named_checks(config, within_service=True).items():
            tasks.start_soon(_repeat, name, check, ports, tell)


async def _repeat(name: str, check: Json, ports: dict[int, int], tell: Tell) -> None:
    interval = seconds_of(check.get("interval")) or USUAL_INTERVAL
    while True:
        found = await _look(check, ports.get(check.get("port") or 0, 0))
        await tell(name, found)
        await anyio.sleep(interval if found.passes else min(_WHILE_FAILING, interval))


async def _look(check: Json, port: int) -> Finding:
    timeout = seconds_of(check.get("timeout")) or USUAL_TIMEOUT
    try:
        with anyio.fail_after(timeout):
            async with await anyio.connect_tcp(LOOPBACK, port) as stream:
                if str(check.get("type") or "tcp").startswith("http"):
                    return await _ask(check, Side(stream, h11.CLIENT))
                return Finding(passes=True, output="Success")
    except TimeoutError:
        return Finding(passes=False, output=f"timed out after {timeout:g} s")
    except OSError:
        return Finding(passes=False, output="connect: connection refused")


async def _ask(check: Json, process: Side) -> Finding:
    given = [(str(one["name"]), ", ".join(one["values"])) for one in check.get("headers") or ()]
    named = any(name.lower() == "host" for name, _ in given)
    headers = [*([] if named else [("host", "localhost")]), *given]
    headers += [("content-length", "0"), ("connection", "close")]
    method, path = str(check.get("method") or "GET").upper(), str(check.get("path") or "/")
    status, content = 0, bytearray()
    try:
        request = h11.Request(method=method, target=path, headers=headers)
        await process.send(request, h11.EndOfMessage())
        while not isinstance(event := await process.next(), h11.EndOfMessage):
            if isinstance(event, h11.ConnectionClosed):
                return _UNANSWERED
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                content += event.data
    except (*GONE, h11.RemoteProtocolError):
        return _UNANSWERED
    shown = content[:_MOST_SHOWN].decode(errors="replace")
    return Finding(passes=200 <= status < 300, output=f"{status} {shown}".strip())
