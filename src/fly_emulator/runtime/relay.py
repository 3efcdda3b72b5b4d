"""Passes a request on to a process, and its answer back, piece by piece as they come.

h11 knows the framing of both ends: bodies of a length and chunked ones, HEAD, answers before the
final one (100, 103), trailers, and connections that become something else (101, CONNECT).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import anyio
import h11
from anyio.abc import ByteStream
from attrs import define, field

from fly_emulator.http import GONE, Side, events, has_body
from fly_emulator.wire import ApiResponse

_ABOUT_CONNECTION: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding"}
)
Headers: TypeAlias = list[tuple[bytes, bytes]]


@define(eq=False)
class Relay:
    """One request of a client, on its way to one process."""

    client: Side
    head: h11.Request
    process: Side
    added: Headers = field(factory=list)
    """Headers that the client finds beside those of the answer."""
    begun: bool = False
    """Whether the client has something of the answer, or is gone: then nobody else may answer."""

    async def run(self, headers: Headers, *, target: bytes | None = None) -> bool:
        """Pass it on with these headers, or to another target; False: it gave no answer."""
        target = self.head.target if target is None else target
        request = h11.Request(method=self.head.method, target=target, headers=headers)
        try:
            whole = () if has_body(self.head) else (h11.EndOfMessage(),)
            await self.process.send(request, *whole)
        except GONE:
            return False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_request, tasks.cancel_scope)
            await self._pass_answer()
            tasks.cancel_scope.cancel()
        if self.client.protocol.our_state is h11.SWITCHED_PROTOCOL:
            await splice(
                self.client.stream, self.process.stream, begun=(self.client.left, self.process.left)
            )
        return self.begun

    async def _pass_request(self, scope: anyio.CancelScope) -> None:
        """Pass the body on, then watch whether the client goes."""
        try:
            while isinstance(event := await self.client.next(), h11.Data | h11.EndOfMessage):
                await self.process.send(event)
            gone = isinstance(event, h11.ConnectionClosed)
        except GONE:
            return  # the process wants no more of it, but may have answered
        except h11.RemoteProtocolError:
            gone = True
        if gone:
            self.begun = True
            scope.cancel()

    async def _pass_answer(self) -> None:
        try:
            while True:
                event = await self.process.next()
                if isinstance(event, h11.InformationalResponse):
                    await self._pass_early(event)
                    if event.status_code == 101:
                        return
                elif isinstance(event, h11.Response):
                    self.begun = True
                    await self.client.send(self._final(event))
                elif isinstance(event, h11.Data):
                    await self.client.send(event)
                elif isinstance(event, h11.EndOfMessage):
                    await self.client.send(event if self._is_chunked() else h11.EndOfMessage())
                    return
                else:
                    return
        except GONE:
            self.begun = True
        except h11.RemoteProtocolError:
            return

    async def _pass_early(self, event: h11.InformationalResponse) -> None:
        if event.status_code == 101:
            self.begun = True
            await self.client.send(event)
        elif self.head.http_version >= b"1.1":
            headers = end_to_end(event.headers)
            early = h11.InformationalResponse(status_code=event.status_code, headers=headers)
            await self.client.send(early)

    def _final(self, event: h11.Response) -> h11.Response:
        headers = [*end_to_end(event.headers), *self.added]
        return h11.Response(
            status_code=event.status_code, headers=headers, reason=bytes(event.reason)
        )

    def _is_chunked(self) -> bool:
        """Whether the client can be sent trailers."""
        return self.head.http_version >= b"1.1" and self.head.method != b"HEAD"


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that are not about one connection alone; the length only where it counts."""
    pairs = [(bytes(name).lower(), bytes(value)) for name, value in headers]
    named = {
        word.strip().lower()
        for name, value in pairs
        if name == b"connection"
        for word in value.split(b",")
    }
    if any(name == b"transfer-encoding" for name, _ in pairs):
        named.add(b"content-length")
    return [pair for pair in pairs if pair[0] not in _ABOUT_CONNECTION and pair[0] not in named]


def forwarded(head: h11.Request, host: str) -> Headers:
    """The headers of a request as the next one gets them, on a connection for it alone."""
    given, kept = dict(head.headers), end_to_end(head.headers)
    if b"host" not in given:
        kept.append((b"host", host.encode()))
    if b"transfer-encoding" in given:
        kept.append((b"transfer-encoding", b"chunked"))
    if b"upgrade" not in given:
        return [*kept, (b"connection", b"close")]
    rest = [pair for pair in kept if pair[0] != b"upgrade"]
    return [*rest, (b"upgrade", given[b"upgrade"]), (b"connection", b"upgrade")]


async def respond(client: Side, status: int, text: str, *, method: bytes = b"GET") -> None:
    """Answer in place of a process."""
    answer = ApiResponse(status=status, raw=f"{text}\n".encode())
    await client.send(*events(answer, head_only=method == b"HEAD"))


async def splice(
    one: ByteStream, other: ByteStream, *, begun: tuple[bytes, bytes] = (b"", b"")
) -> None:
    """Pass on all bytes, both ways, until both have ended or one has broken.

    `begun` is what was received from each before.
    """

    async def copy(source: ByteStream, sink: ByteStream, first: bytes) -> None:
        try:
            if first:
                await sink.send(first)
            async for data in source:
                await sink.send(data)
            await sink.send_eof()
        except (*GONE, OSError):
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(copy, one, other, begun[0])
        tasks.start_soon(copy, other, one, begun[1])
