"""One HTTP request to a process of a machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import anyio
import h11
from anyio.abc import ByteStream
from attrs import frozen

_CHUNK: Final = 65_536
Header = tuple[str, str]


@frozen(kw_only=True)
class Answer:
    """What a process answered."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class NoAnswer(Exception):
    """The process did not answer."""

    def __init__(self, reason: str, *, reached: bool) -> None:
        super().__init__(reason)
        self.reached = reached
        """Whether it had taken the connection, so that it may have done what was asked."""


async def request(
    port: int, method: str, target: str, headers: Iterable[Header], body: bytes = b""
) -> Answer:
    """Send a request to a port of this computer.

    Raises:
        NoAnswer: Nobody listens there, or the connection ended early.
    """
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError as error:
        raise NoAnswer("connect: connection refused", reached=False) from error
    async with stream:
        try:
            return await _exchange(stream, method, target, headers, body)
        except (anyio.BrokenResourceError, h11.RemoteProtocolError, OSError) as error:
            raise NoAnswer("the connection ended without an answer", reached=True) from error


async def _exchange(
    stream: ByteStream, method: str, target: str, headers: Iterable[Header], body: bytes
) -> Answer:
    protocol = h11.Connection(h11.CLIENT)
    fields = [*headers, ("content-length", str(len(body))), ("connection", "close")]
    head = h11.Request(method=method, target=target, headers=fields)
    data = [protocol.send(head), protocol.send(h11.Data(body)), protocol.send(h11.EndOfMessage())]
    await stream.send(b"".join(part for part in data if part))
    answer, content = None, bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            try:
                protocol.receive_data(await stream.receive(_CHUNK))
            except anyio.EndOfStream:
                protocol.receive_data(b"")
        elif isinstance(event, h11.Response):
            answer = event
        elif isinstance(event, h11.Data):
            content += event.data
        elif isinstance(event, h11.EndOfMessage) and answer is not None:
            pairs = [(name.decode(), value.decode("latin-1")) for name, value in answer.headers]
            return Answer(status=answer.status_code, headers=tuple(pairs), body=bytes(content))
        elif isinstance(event, h11.ConnectionClosed):
            raise NoAnswer("the connection ended without an answer", reached=True)
