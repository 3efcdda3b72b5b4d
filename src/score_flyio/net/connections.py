"""The network for whoever sends thousands of requests to one place.

A pool of httpx looks through all its connections for each request, and opens as many as it has
room for. Here the connection that was used last is used next, at the same cost however many there
are: there are never more than there were requests at once, and each is one TLS handshake.

Of requests that are answered at once, only so many are on their way at a time as keep a processor
busy: each takes the memory of a connection, and more of them would be answered no sooner.
"""

from __future__ import annotations

import ssl
from contextlib import nullcontext
from typing import Final

import anyio
import httpcore

from score_flyio.net.exchange import Answered, Asked, NoAnswerError, decoded

IDLE_SECONDS: Final = 5.0
"""A connection that rested longer is not used again: the other side may be about to close it."""
MOST_BRIEF: Final = 128
"""Brief requests on their way at once: 600 a second, what a process can send, at 0.2 s each."""
_WITH_BODY: Final = ("POST", "PUT", "PATCH")


class Connections:
    """Connections without a proxy, to any number of places; answers come with all their body."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._resting: dict[str, list[httpcore.AsyncHTTPConnection]] = {}
        self._brief = anyio.Semaphore(MOST_BRIEF)

    async def exchange(self, asked: Asked) -> Answered:
        """Raises NoAnswerError and UnreadableError."""
        async with self._brief if asked.brief else nullcontext():
            return await self._exchange(asked)

    async def _exchange(self, asked: Asked) -> Answered:
        request = _request(asked)
        origin = request.url.origin
        try:
            connection = await self._connection(origin)
            answer = await connection.handle_async_request(request)
            body = await answer.aread()
            await answer.aclose()
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "httpcore":
                raise
            raise NoAnswerError(error) from error
        if connection.is_idle():
            self._resting.setdefault(str(origin), []).append(connection)
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers}
        body = decoded(body, headers.get("content-encoding", "").strip().lower())
        return Answered(status=answer.status, headers=headers, body=body)

    async def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        resting = self._resting.get(str(origin), [])
        if resting:
            latest = resting.pop()
            if not latest.has_expired():
                return latest
            await _close([latest])
        return httpcore.AsyncHTTPConnection(origin, self._trust, keepalive_expiry=IDLE_SECONDS)

    async def aclose(self) -> None:
        """Closes what rests."""
        resting, self._resting = self._resting, {}
        for connections in resting.values():
            await _close(connections)


def _request(asked: Asked) -> httpcore.Request:
    scheme, _, rest = asked.url.partition("://")
    host, slash, target = rest.partition("/")
    if not host.isascii():
        host = host.encode("idna").decode()
    headers = {"host": host, **asked.headers}
    if asked.body is not None or asked.method in _WITH_BODY:
        headers["content-length"] = str(len(asked.body or b""))
    return httpcore.Request(
        asked.method,
        f"{scheme}://{host}{slash}{target}",
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        content=asked.body,
        extensions={"timeout": asked.timeout},
    )


async def _close(connections: list[httpcore.AsyncHTTPConnection]) -> None:
    with anyio.CancelScope(shield=True):
        for connection in connections:
            await connection.aclose()
