"""One end of a connection that speaks HTTP/1.1, with h11 over streams of anyio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import anyio
import h11
from anyio.abc import ByteStream, ObjectReceiveStream
from attrs import define, field

from fly_emulator.wire import ApiResponse

LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_LINGER: Final = 2.0
"""Seconds for a client to read the answer to a request that it has not sent to its end."""
GONE: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError)


@define(eq=False)
class Side:
    """One end that speaks HTTP/1.1: a client (role `h11.SERVER`), or a process (`h11.CLIENT`)."""

    stream: ByteStream
    role: type[h11.CLIENT | h11.SERVER]
    source: ObjectReceiveStream[bytes] | None = None
    """What somebody else has received, where that is read in place of the stream."""
    protocol: h11.Connection = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.protocol = h11.Connection(self.role, max_incomplete_event_size=_CHUNK)

    async def next(self) -> h11.Event | type[h11.PAUSED | h11.NEED_DATA]:
        """What comes next; a connection that breaks is one that ends.

        Raises h11.RemoteProtocolError: it is no HTTP, or it ends too early.
        """
        while True:
            event = self.protocol.next_event()
            if isinstance(event, h11.Event) or event is h11.PAUSED:
                return event
            self.protocol.receive_data(await self.receive())

    async def receive(self) -> bytes:
        """Some bytes; none where there are no more."""
        with suppress(anyio.EndOfStream, *GONE):
            return await (self.source or self.stream).receive()
        return b""

    async def send(self, *events: h11.Event) -> None:
        data = b"".join(self.protocol.send(event) or b"" for event in events)
        if data:
            await self.stream.send(data)

    @property
    def left(self) -> bytes:
        """What came after the last event."""
        return self.protocol.trailing_data[0]


Answer: TypeAlias = Callable[[Side, h11.Request], Awaitable[None]]
"""Answers a request of a client; what it leaves open ends the connection."""
Refuse: TypeAlias = Callable[[Side, int, str], Awaitable[None]]
"""Answers what is no request, with a status and why."""


def has_body(head: h11.Request) -> bool:
    """Whether something follows the head of a request."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in head.headers)


def events(response: ApiResponse, *, head_only: bool = False) -> list[h11.Event]:
    """An answer as what is sent, without its body where only the head was asked for."""
    content, media = response.content()
    headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    if media is not None:
        headers.append((b"content-type", media.encode()))
    if response.status != 204:
        headers.append((b"content-length", str(len(content)).encode()))
    body = [h11.Data(data=content)] if content and not head_only else []
    head = h11.Response(status_code=response.status, headers=headers)
    return [head, *body, h11.EndOfMessage()]


async def serve_http(client: Side, answer: Answer, refuse: Refuse) -> None:
    """Have each request on a connection answered, one after another, until the client goes."""
    with suppress(*GONE):
        await _converse(client, answer, refuse)
        if client.protocol.our_state in {h11.DONE, h11.MUST_CLOSE}:
            await _linger(client)


async def _converse(client: Side, answer: Answer, refuse: Refuse) -> None:
    try:
        while isinstance(head := await client.next(), h11.Request):
            if not has_body(head):
                await client.next()  # the end of the request
            await answer(client, head)
            protocol = client.protocol
            if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
                return
            protocol.start_next_cycle()
    except h11.RemoteProtocolError as error:
        if client.protocol.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await refuse(client, error.error_status_hint, str(error))


async def _linger(client: Side) -> None:
    """Let a client read what it was sent: closing while it still sends would take that away."""
    with anyio.move_on_after(_LINGER):
        await client.stream.send_eof()
        while await client.receive():
            """What it sends now is for nobody."""
