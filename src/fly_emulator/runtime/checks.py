"""The checks of a running machine: real requests and connections to its process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from attrs import frozen

from fly_emulator.documents import named_checks
from fly_emulator.durations import seconds_of
from fly_emulator.records import Json
from fly_emulator.runtime.client import NoAnswer, request

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


Tell = Callable[[str, Finding], Awaitable[None]]
"""Takes the name of a check, and what it found."""


def names(config: Json) -> list[str]:
    """The names of the checks that are run."""
    return list(named_checks(config, within_service=True))


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
            if str(check.get("type") or "tcp").startswith("http"):
                return await _ask(check, port)
            return await _connect(port)
    except TimeoutError:
        return Finding(passes=False, output=f"timed out after {timeout:g} s")


async def _ask(check: Json, port: int) -> Finding:
    given = [(str(one["name"]), ", ".join(one["values"])) for one in check.get("headers") or ()]
    named = any(name.lower() == "host" for name, _ in given)
    headers = given if named else [("host", "localhost"), *given]
    try:
        method, path = str(check.get("method") or "GET").upper(), str(check.get("path") or "/")
        answer = await request(port, method, path, headers)
    except NoAnswer as error:
        return Finding(passes=False, output=str(error))
    shown = answer.body[:_MOST_SHOWN].decode(errors="replace")
    return Finding(passes=200 <= answer.status < 300, output=f"{answer.status} {shown}".strip())


async def _connect(port: int) -> Finding:
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return Finding(passes=False, output="connect: connection refused")
    await stream.aclose()
    return Finding(passes=True, output="Success")
