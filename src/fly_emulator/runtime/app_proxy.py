"""The proxy in front of one app: finds a machine for each request or connection, or starts one.

It takes machines that run, are not cordoned and pass their checks, the one with the least to do
first; never more at once than their hard limit. A machine that takes no connection is left out, and
another one gets the request. One that rests is started where its service wants that.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import h11
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, field, frozen

from fly_emulator import lifecycle
from fly_emulator.http import GONE, LOOPBACK, Side, has_body, serve_http
from fly_emulator.proxy import serves
from fly_emulator.records import Json, MachineRecord
from fly_emulator.runtime.relay import Headers, Relay, forwarded, respond, splice

if TYPE_CHECKING:
    from fly_emulator.core import Emulator
    from fly_emulator.runtime.runtime import Runtime

PATIENCE: Final = 30.0
"""Seconds that a request waits for a machine."""
_TRY_AGAIN: Final = 0.1
"""Seconds until machines are tried anew that took no connection: nobody tells when they do."""
_TIME_TO_PASS: Final = 10.0
"""Seconds from a start in which no other machine is started, while checks have yet to pass."""
_NO_LIMIT: Final = 1_000_000
_SOFT: Final = 20
_REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
"""Methods that are sent once more, to another machine, when the first one gave no answer."""
_SAID_BY_PROXY: Final = frozenset({b"fly-region", b"fly-client-ip", b"x-forwarded-proto"})
_WEB: Final = frozenset({80, 443})
_HTTP: Final = frozenset({"http", "edge_http"})


@frozen(order=True)
class Door:
    """Where an app is reached: a public port, and whether it speaks HTTP there.

    80 and 443 of a website are one door, whose port is 443: nothing is encrypted here.
    """

    port: int
    http: bool


def doors(config: Json) -> dict[Door, Json]:
    """The doors of a machine, in the order of its services, each with its service."""
    found: dict[Door, Json] = {}
    for service in config.get("services") or ():
        if service.get("protocol") == "udp":
            continue
        for public in service.get("ports") or ():
            http = not _HTTP.isdisjoint(public.get("handlers") or ())
            port = public.get("port") or public.get("start_port")
            if isinstance(port, int):
                door = Door(port=443 if http and port in _WEB else port, http=http)
                found.setdefault(door, {**service, "ports": [public]})
    return found


@define(eq=False)
class AppProxy:
    """Takes what comes through one door of an app."""

    emulator: Emulator
    runtime: Runtime
    app: str
    door: Door
    _load: Counter[str] = field(factory=Counter)
    _turns: Counter[str] = field(factory=Counter)

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            if self.door.http:
                await serve_http(Side(stream, h11.SERVER), self._answer, respond)
                return
            with suppress(*GONE):
                await self._serve_tcp(stream)

    async def _answer(self, client: Side, head: h11.Request) -> None:
        """Answer a request; 503 when no machine could take it in time, 502 when it gave none."""
        again = head.method in _REPEATABLE and not has_body(head)
        left_out: set[str] = set()
        deadline = anyio.current_time() + PATIENCE
        while (machine := await self._find(left_out, deadline)) is not None:
            with self._busy(machine):
                process = await self._connect(machine)
                if process is None:
                    left_out.add(machine.id)
                    continue
                async with process:
                    added = [(b"via", b"1.1 fly.io"), (b"fly-machine-id", machine.id.encode())]
                    relay = Relay(client, head, Side(process, h11.CLIENT), added)
                    if await relay.run(self._headers(head, machine)):
                        return None
            if not again:
                text = f"{machine.id} ended the connection without an answer"
                return await respond(client, 502, text, method=head.method)
            again = False
            left_out.add(machine.id)
        text = f"no machine of {self.app} could take the request"
        return await respond(client, 503, text, method=head.method)

    async def _serve_tcp(self, stream: SocketStream) -> None:
        left_out: set[str] = set()
        deadline = anyio.current_time() + PATIENCE
        while (machine := await self._find(left_out, deadline)) is not None:
            with self._busy(machine):
                process = await self._connect(machine)
                if process is not None:
                    async with process:
                        first = _proxy_line(self._service(machine), stream)
                        await splice(stream, process, begun=(first, b""))
                    return
                left_out.add(machine.id)

    # --- which machine

    async def _find(self, left_out: set[str], deadline: float) -> MachineRecord | None:
        """A machine that is free, as soon as there is one; None: there was none in time."""
        while True:
            news = self.runtime.news
            machine = self._choose(left_out)
            if machine is not None or anyio.current_time() >= deadline:
                return machine
            left_out.clear()
            with anyio.move_on_after(_TRY_AGAIN):
                await news.wait()

    def _choose(self, left_out: set[str]) -> MachineRecord | None:
        world, now = self.emulator.world, self.emulator.advance()
        app = world.apps.get(self.app)
        machines = [one for one in world.machines_of(app) if self._service(one)] if app else []
        free = [
            one
            for one in machines
            if one.id not in left_out
            and serves(world, one, now)
            and self._port(one) is not None
            and self._load[one.id] < self._limit(one, "hard_limit", _NO_LIMIT)
        ]
        if all(self._load[one.id] >= self._limit(one, "soft_limit", _SOFT) for one in free):
            self._start_one(machines)
        return min(free, key=self._use, default=None)

    def _use(self, machine: MachineRecord) -> tuple[float, int]:
        """How busy a machine is, and how often it had its turn."""
        load = self._load[machine.id] / self._limit(machine, "soft_limit", _SOFT)
        return load, self._turns[machine.id]

    def _start_one(self, machines: list[MachineRecord]) -> None:
        """Start a machine that rests, unless one is on its way."""
        if any(self._is_on_its_way(one) for one in machines):
            return
        for one in machines:
            rests = one.state in {"stopped", "suspended"} and not one.cordoned
            if rests and self._service(one).get("autostart"):
                with self.emulator.changing() as world:
                    lifecycle.start(
                        world, one, self.emulator.now(), resumed=one.state == "suspended"
                    )
                return

    def _is_on_its_way(self, machine: MachineRecord) -> bool:
        """Whether it is to serve soon: it starts, or its checks have not passed yet."""
        if machine.state in {"starting", "restarting"}:
            return True
        started = machine.started_at
        new = started is not None and self.emulator.now() - started < _TIME_TO_PASS
        return (
            machine.state == "started" and not machine.cordoned and new and not machine.healthy_at
        )

    def _service(self, machine: MachineRecord) -> Json:
        """The service that is reached through the door; empty: none is."""
        return doors(machine.config).get(self.door, {})

    def _limit(self, machine: MachineRecord, name: str, usual: int) -> int:
        concurrency = self._service(machine).get("concurrency")
        value = concurrency.get(name) if isinstance(concurrency, dict) else None
        return value if isinstance(value, int) and value > 0 else usual

    def _port(self, machine: MachineRecord) -> int | None:
        return self.runtime.ports(machine).get(self._service(machine)["internal_port"])

    # --- the way to it

    @contextmanager
    def _busy(self, machine: MachineRecord) -> Iterator[None]:
        self._load[machine.id] += 1
        self._turns[machine.id] += 1
        self.emulator.world.visited.add(machine.id)
        try:
            yield
        finally:
            self._load[machine.id] -= 1
            self.runtime.wake()

    async def _connect(self, machine: MachineRecord) -> SocketStream | None:
        port = self._port(machine)
        try:
            return None if port is None else await anyio.connect_tcp(LOOPBACK, port)
        except OSError:
            return None

    def _headers(self, head: h11.Request, machine: MachineRecord) -> Headers:
        sent = forwarded(head, f"{self.app}.fly.dev")
        kept = [pair for pair in sent if pair[0] not in _SAID_BY_PROXY]
        before = [value for name, value in kept if name == b"x-forwarded-for"]
        return [
            *(pair for pair in kept if pair[0] != b"x-forwarded-for"),
            (b"fly-region", machine.region.encode()),
            (b"fly-client-ip", LOOPBACK.encode()),
            (b"x-forwarded-for", b", ".join([*before, LOOPBACK.encode()])),
            (b"x-forwarded-proto", b"http"),
        ]


def _proxy_line(service: Json, stream: SocketStream) -> bytes:
    """What tells a process whose connection it is, where the handlers of its port want that."""
    public = service["ports"][0]
    if "proxy_proto" not in (public.get("handlers") or ()):
        return b""
    ours = stream.extra(SocketAttribute.local_address)  # noqa: S610 - anyio's, not Django's
    theirs = stream.extra(SocketAttribute.remote_address)  # noqa: S610
    if (public.get("proxy_proto_options") or {}).get("version") == "v2":
        addresses = bytes([127, 0, 0, 1] * 2) + struct.pack("!HH", theirs[1], ours[1])
        return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", len(addresses)) + addresses
    return f"PROXY TCP4 {theirs[0]} {ours[0]} {theirs[1]} {ours[1]}\r\n".encode()
