"""The network for whoever sends thousands of requests to one place.

The connection that was used last is used next, at the same cost however many there are: there are
never more than there were requests at once, and each is one TLS handshake. A request is one write,
and one time limit counts for it and its answer: a library that keeps a lock and a limit for each
part of both took twice as long as h11 and the socket together.

Of requests that are answered at once, only so many are on their way at a time as keep a processor
busy: each takes the memory of a connection, and more of them would be answered no sooner.
"""

from __future__ import annotations

import select
import ssl
import sys
import time
from collections import defaultdict
from contextlib import nullcontext, suppress
from socket import socket as Socket  # noqa: N812
from typing import Final
from urllib.parse import urlsplit

import anyio
import anyio.abc
import h11

from score_flyio.base.record import define
from score_flyio.net.exchange import CONNECT_SECONDS, Answered, Asked, NoAnswerError, decoded

IDLE_SECONDS: Final = 5.0
"""A connection that rested longer is not used again: the other side may be about to close it."""
MOST_BRIEF: Final = 128
"""Brief requests on their way at once: 600 a second, what a process can send, at 0.2 s each."""
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_AT_ONCE: Final = 64 * 1024
"""Bytes that are read at most in one go."""
_LONGEST_HEAD: Final = 100 * 1024


@define(eq=False)
class _Connection:
    """One connection, for one request at a time."""

    stream: anyio.abc.ByteStream
    socket: Socket
    http: h11.Connection
    rests_since: float = 0.0

    def is_fresh(self) -> bool:
        """Whether it can be used again: what can be read before anything was asked is its end."""
        rested = time.monotonic() - self.rests_since
        return rested <= IDLE_SECONDS and not _is_readable(self.socket.fileno())

    async def carry(self, request: h11.Request, content: bytes) -> tuple[h11.Response, bytes]:
        """Sends a request; gives what came back for it, and its body."""
        parts = [request, *([h11.Data(data=content)] if content else []), h11.EndOfMessage()]
        data = b"".join(self.http.send(part) or b"" for part in parts)
        with suppress(anyio.BrokenResourceError):  # a server may refuse what it has not read to end
            await self.stream.send(data)
        self.http.receive_data(await self._received())
        head, body = None, []
        while True:
            event = self.http.next_event()
            if event is h11.NEED_DATA:
                self.http.receive_data(await self._received())
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                head = event
            elif head is not None:
                return head, b"".join(body)

    async def _received(self) -> bytes:
        try:
            return await self.stream.receive(_AT_ONCE)
        except anyio.EndOfStream:
            return b""

    def begins_anew(self) -> bool:
        """Whether it takes another request; it rests from now on."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self.rests_since = time.monotonic()
        return True

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.stream.aclose()


class Connections:
    """Connections without a proxy, to any number of places; answers come with all their body."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        trust.set_alpn_protocols(["http/1.1"])
        self._trust = trust
        self._resting: dict[str, list[_Connection]] = defaultdict(list)
        self._brief = anyio.Semaphore(MOST_BRIEF, fast_acquire=True)

    async def exchange(self, asked: Asked) -> Answered:
        """Raises NoAnswerError and UnreadableError."""
        scheme, _, rest = asked.url.partition("://")
        host, slash, target = rest.partition("/")
        host = host if host.isascii() else host.encode("idna").decode()
        request = _request(asked, host, f"{slash}{target}")
        async with self._brief if asked.brief else nullcontext():
            head, body = await self._answer(f"{scheme}://{host}", request, asked)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in head.headers}
        body = decoded(body, headers.get("content-encoding", "").strip().lower())
        return Answered(status=head.status_code, headers=headers, body=body)

    async def _answer(
        self, origin: str, request: h11.Request, asked: Asked
    ) -> tuple[h11.Response, bytes]:
        resting = self._resting[origin]
        connection = resting.pop() if resting else None
        if connection is not None and not connection.is_fresh():
            await connection.aclose()
            connection = None
        connection = connection or await self._opened(origin)
        try:
            with anyio.move_on_after(asked.seconds):
                return await connection.carry(request, asked.body or b"")
        except h11.RemoteProtocolError as error:
            raise NoAnswerError("RemoteProtocolError") from error
        except (anyio.BrokenResourceError, OSError) as error:
            raise NoAnswerError("ReadError") from error
        finally:
            if connection.begins_anew():
                self._resting[origin].append(connection)
            else:
                await connection.aclose()
        raise NoAnswerError("ReadTimeout")

    async def _opened(self, origin: str) -> _Connection:
        place = urlsplit(origin)
        host, encrypted = place.hostname or "", place.scheme == "https"
        port = place.port or (443 if encrypted else 80)
        stream: anyio.abc.ByteStream
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                if encrypted:
                    stream = await anyio.connect_tcp(
                        host, port, ssl_context=self._trust, tls_standard_compatible=False
                    )
                else:
                    stream = await anyio.connect_tcp(host, port)
        except TimeoutError as error:
            raise NoAnswerError("ConnectTimeout") from error
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise NoAnswerError("ConnectError") from error
        return _Connection(
            stream=stream,
            socket=stream.extra(anyio.abc.SocketAttribute.raw_socket),  # noqa: S610 - anyio's
            http=h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD),
        )

    async def aclose(self) -> None:
        """Closes what rests."""
        for connections in list(self._resting.values()):
            while connections:
                await connections.pop().aclose()


def _request(asked: Asked, host: str, target: str) -> h11.Request:
    """Raises NoAnswerError for what is no HTTP: nothing was sent."""
    headers = {"host": host, **asked.headers}
    if asked.body is not None or asked.method in _WITH_BODY:
        headers["content-length"] = str(len(asked.body or b""))
    try:
        return h11.Request(
            method=asked.method,
            target=target or "/",
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        )
    except h11.LocalProtocolError as error:
        raise NoAnswerError("LocalProtocolError") from error


def _is_readable(descriptor: int) -> bool:
    """Whether there is something to read, or nothing to read from any more."""
    if descriptor < 0:
        return True
    if sys.platform == "win32":
        return bool(select.select([descriptor], [], [], 0)[0])
    look = select.poll()
    look.register(descriptor, select.POLLIN)
    return bool(look.poll(0))
