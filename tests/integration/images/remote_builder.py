"""The remote builders of organizations, which answer at `BUILDER.fly.dev`.

A builder is a Docker daemon behind a login. The proxy wakes its machine, which ends itself when
nobody builds. Requests are passed on byte for byte to a Docker daemon on this computer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import anyio
import h11
from anyio.abc import ByteStream, TaskGroup
from attrs import define, field

from fly_emulator import lifecycle
from fly_emulator.macaroons import principal_of
from fly_emulator.records import App, MachineRecord
from fly_emulator.server import listening
from fly_emulator.wire import ApiResponse, Refusal, basic_login

if TYPE_CHECKING:
    from fly_emulator.core import Emulator

ROLE: Final = "remote-docker-builder"
SETTINGS: Final = "/flyio/v1/settings"
IDLE: Final = 600.0
"""Seconds without a request after which a builder ends itself."""
_CHUNK: Final = 65_536
_POLL: Final = 0.01
_GONE: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@asynccontextmanager
async def remote_builders(
    emulator: Emulator, daemon: str, *, idle: float = IDLE
) -> AsyncIterator[str]:
    """Answers for the builders of all organizations while the block runs; gives HOST:PORT.

    Args:
        emulator: Its world has the builders' apps and machines.
        daemon: The Unix socket of a Docker daemon.
        idle: Seconds after which a builder that nobody uses stops.
    """
    async with listening("127.0.0.1", 0) as (listener, url), anyio.create_task_group() as tasks:
        builders = _Builders(emulator, daemon, idle, tasks)
        tasks.start_soon(listener.serve, builders.serve)
        try:
            yield url.removeprefix("http://")
        finally:
            tasks.cancel_scope.cancel()


@define
class _Builders:
    """All builders behind one address: the login tells whose is meant."""

    emulator: Emulator
    daemon: str
    idle: float
    tasks: TaskGroup
    _uses: Counter[str] = field(factory=Counter)
    """By machine, requests so far."""
    _running: Counter[str] = field(factory=Counter)
    """By machine, requests that are being answered."""

    async def serve(self, stream: ByteStream) -> None:
        """Answer one request, and close."""
        async with stream:
            with suppress(*_GONE, h11.RemoteProtocolError):
                await self._answer(stream)

    async def _answer(self, stream: ByteStream) -> None:
        head, rest = await _read_head(stream)
        request = _parsed(head)
        try:
            machine = self._machine(dict(request.headers))
        except Refusal as refusal:
            await stream.send(_encoded(refusal.response()))
            return
        self._uses[machine.id] += 1
        self._running[machine.id] += 1
        try:
            await self._wake(machine)
            if request.target.decode().partition("?")[0] == SETTINGS:
                await stream.send(_encoded(ApiResponse(document={})))
            else:
                await self._pass_on(stream, _closing(head) + rest)
        finally:
            self._running[machine.id] -= 1
            self.tasks.start_soon(self._sleep_when_idle, machine, self._uses[machine.id])

    def _machine(self, headers: Mapping[bytes, bytes]) -> MachineRecord:
        """The machine of the builder that a login is for. Raises Refusal."""
        name, token = _login(headers.get(b"authorization", b""))
        principal = principal_of(self.emulator.world, token, self.emulator.clock.time())
        app = self.emulator.world.apps.get(name)
        known = self.emulator.settings.tokens
        if app is None or not (known is None or app.organization in principal.organizations):
            raise Refusal(401, "You are not authorized to use this builder", plain=True)
        for builder in self.emulator.world.apps.values():
            if builder.role == ROLE and builder.organization == app.organization:
                return self._reachable(builder)
        raise Refusal(502, "no builder has this name", plain=True)

    def _reachable(self, builder: App) -> MachineRecord:
        machines = [one for one in self.emulator.world.machines_of(builder) if not one.destroyed]
        if not machines or not builder.ips or not _answers_https(machines[0]):
            raise Refusal(502, "nothing of the builder can be reached", plain=True)
        return machines[0]

    async def _wake(self, machine: MachineRecord) -> None:
        self.emulator.advance()
        while machine.state != "started":
            if machine.state in {"stopped", "suspended"}:
                lifecycle.start(self.emulator.world, machine, self.emulator.clock.time())
            await anyio.sleep(_POLL)
            self.emulator.advance()

    async def _sleep_when_idle(self, machine: MachineRecord, uses: int) -> None:
        await anyio.sleep(self.idle)
        self.emulator.advance()
        idle = self._uses[machine.id] == uses and not self._running[machine.id]
        if idle and machine.state == "started":
            lifecycle.stop(self.emulator.world, machine, self.emulator.clock.time())

    async def _pass_on(self, stream: ByteStream, begun: bytes) -> None:
        async with await anyio.connect_unix(self.daemon) as daemon:
            await daemon.send(begun)
            async with anyio.create_task_group() as both:
                both.start_soon(_copy, stream, daemon, both.cancel_scope)
                await _copy(daemon, stream, both.cancel_scope)


def _answers_https(machine: MachineRecord) -> bool:
    ports = [
        port
        for service in machine.config.get("services") or []
        if service.get("autostart")
        for port in service.get("ports") or []
    ]
    return any(port.get("port") == 443 and "tls" in port["handlers"] for port in ports)


async def _copy(source: ByteStream, target: ByteStream, scope: anyio.CancelScope) -> None:
    """Pass bytes on; the end of one direction is the end of both."""
    with suppress(*_GONE):
        async for chunk in source:
            await target.send(chunk)
    scope.cancel()


async def _read_head(stream: ByteStream) -> tuple[bytes, bytes]:
    """A request up to its empty line, and what came with it of the rest."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += await stream.receive(_CHUNK)
    head, end, rest = found.partition(b"\r\n\r\n")
    return head + end, rest


def _parsed(head: bytes) -> h11.Request:
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(head)
    event = reader.next_event()
    if not isinstance(event, h11.Request):
        raise h11.RemoteProtocolError("this is no request")
    return event


def _closing(head: bytes) -> bytes:
    """The head of a request after which the daemon closes: each request has a login of its own."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"authoriz"))]
    return b"\r\n".join((first, *kept, b"connection: close", b"", b""))


def _login(header: bytes) -> tuple[str, str]:
    """User and password. Raises Refusal when there are none."""
    scheme, _, text = header.partition(b" ")
    user, password = basic_login(text.decode("latin-1"))
    if scheme.lower() != b"basic" or not password:
        raise Refusal(401, "unauthorized", plain=True)
    return user, password


def _encoded(response: ApiResponse) -> bytes:
    content, media = response.content()
    writer = h11.Connection(h11.SERVER)
    headers = [("content-type", media or ""), ("content-length", str(len(content)))]
    head = h11.Response(status_code=response.status, headers=[*headers, ("connection", "close")])
    parts = (head, h11.Data(data=content), h11.EndOfMessage())
    return b"".join(writer.send(part) or b"" for part in parts)
