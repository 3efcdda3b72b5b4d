"""The proxy in front of one app: finds a machine for each request, or starts one.

It sends requests to machines that run, are not cordoned and pass their checks, to the one with the
least to do; never more at once than their hard limit. A machine that takes no connection is left
out, and another one gets the request. One that rests is started where its service wants that.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import anyio

from fly_emulator import lifecycle
from fly_emulator.proxy import serves
from fly_emulator.records import Json, MachineRecord
from fly_emulator.runtime.client import Answer, NoAnswer, request
from fly_emulator.wire import ApiRequest, ApiResponse

if TYPE_CHECKING:
    from fly_emulator.core import Emulator
    from fly_emulator.runtime.runtime import Runtime

PATIENCE: Final = 30.0
"""Seconds that a request waits for a machine."""
_TRY_AGAIN: Final = 0.1
"""Seconds until machines are tried anew that took no connection: nobody tells when they do."""
_NO_LIMIT: Final = 1_000_000
_SOFT: Final = 20
_OWN: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length"}
)
"""Headers that are about one connection."""
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that are sent once more, to another machine, when the first one gave no answer."""


class AppProxy:
    """Answers the requests to one app."""

    def __init__(self, emulator: Emulator, runtime: Runtime, app: str) -> None:
        self._emulator = emulator
        self._runtime = runtime
        self._app = app
        self._load: Counter[str] = Counter()
        self._turns: Counter[str] = Counter()

    async def handle(self, asked: ApiRequest) -> ApiResponse:
        """Answer a request; 503 when no machine could take it in time."""
        left_out: set[str] = set()
        repeated = False
        with anyio.move_on_after(PATIENCE):
            while True:
                news = self._runtime.news
                machine = self._choose(left_out)
                if machine is None:
                    left_out.clear()
                    with anyio.move_on_after(_TRY_AGAIN):
                        await news.wait()
                    continue
                try:
                    return await self._pass_on(asked, machine)
                except NoAnswer as failure:
                    if failure.reached and (repeated or asked.method not in _REPEATABLE):
                        return _bad(502, str(failure))
                    repeated = failure.reached
                    left_out.add(machine.id)
        return _bad(503, f"no machine of {self._app} could take the request")

    def _choose(self, left_out: set[str]) -> MachineRecord | None:
        self._emulator.advance()
        world, now = self._emulator.world, self._emulator.now()
        app = world.apps.get(self._app)
        machines = [one for one in world.machines_of(app) if _service(one)] if app else []
        free = [
            one
            for one in machines
            if one.id not in left_out
            and serves(world, one, now)
            and self._runtime.ports(one)
            and self._load[one.id] < _limit(one, "hard_limit", _NO_LIMIT)
        ]
        if all(self._load[one.id] >= _limit(one, "soft_limit", _SOFT) for one in free):
            self._start_one(machines)
        return min(free, key=self._use, default=None)

    def _use(self, machine: MachineRecord) -> tuple[float, int]:
        """How busy a machine is, and how often it had its turn."""
        return self._load[machine.id] / _limit(machine, "soft_limit", _SOFT), self._turns[
            machine.id
        ]

    def _start_one(self, machines: list[MachineRecord]) -> None:
        """Start a machine that rests, unless one is on its way."""
        if any(one.state in {"starting", "restarting"} for one in machines):
            return
        for one in machines:
            rests = one.state in {"stopped", "suspended"} and not one.cordoned
            if rests and _service(one).get("autostart"):
                with self._emulator.changing() as world:
                    lifecycle.start(
                        world, one, self._emulator.now(), resumed=one.state == "suspended"
                    )
                return

    async def _pass_on(self, asked: ApiRequest, machine: MachineRecord) -> ApiResponse:
        port = self._runtime.ports(machine)[_service(machine)["internal_port"]]
        self._load[machine.id] += 1
        self._turns[machine.id] += 1
        self._emulator.world.visited.add(machine.id)
        try:
            answer = await request(
                port, asked.method, asked.target, _headers(asked, machine), asked.body
            )
        finally:
            self._load[machine.id] -= 1
            self._runtime.wake()
        return _response(answer, machine)


def _service(machine: MachineRecord) -> Json:
    """The service that is reached through the proxy; empty: none is."""
    services = machine.config.get("services") or [{}]
    return dict(services[0])


def _limit(machine: MachineRecord, name: str, usual: int) -> int:
    concurrency = _service(machine).get("concurrency")
    value = concurrency.get(name) if isinstance(concurrency, dict) else None
    return value if isinstance(value, int) and value > 0 else usual


def _headers(asked: ApiRequest, machine: MachineRecord) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in asked.headers.items() if name not in _OWN]
    return [
        *kept,
        ("fly-region", machine.region),
        ("fly-client-ip", "127.0.0.1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
    ]


def _response(answer: Answer, machine: MachineRecord) -> ApiResponse:
    headers: dict[str, str] = {"via": "1.1 fly.io", "fly-machine-id": machine.id}
    media_type = "application/octet-stream"
    for name, value in answer.headers:
        if name == "content-type":
            media_type = value
        elif name not in _OWN:
            headers[name] = value
    return ApiResponse(
        status=answer.status, raw=answer.body, media_type=media_type, headers=headers
    )


def _bad(status: int, text: str) -> ApiResponse:
    return ApiResponse(status=status, text=f"{text}\n")
