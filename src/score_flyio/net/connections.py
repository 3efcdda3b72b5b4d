"""The network for whoever sends thousands of requests to one place.

A pool of httpx looks through all its connections for each request, and opens as many as it has
room for. Here the connection that was used last is used next, at the same cost however many there
are: there are never more than there were requests at once, and each is one TLS handshake.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import anyio
import httpcore
import httpx

IDLE_SECONDS: Final = 5.0
"""A connection that rested longer is not used again: the other side may be about to close it."""


class Connections(httpx.AsyncBaseTransport):
    """Connections without a proxy, to any number of places; answers come with all their body."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._resting: dict[str, list[httpcore.AsyncHTTPConnection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError."""
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _told_by_httpx():
            connection = await self._connection(asked.url.origin)
            answer = await connection.handle_async_request(asked)
            body = await answer.aread()
            await answer.aclose()
        if connection.is_idle():
            self._resting.setdefault(str(asked.url.origin), []).append(connection)
        return httpx.Response(answer.status, headers=answer.headers, content=body, request=request)

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


async def _close(connections: list[httpcore.AsyncHTTPConnection]) -> None:
    with anyio.CancelScope(shield=True):
        for connection in connections:
            await connection.aclose()


@contextmanager
def _told_by_httpx() -> Iterator[None]:
    """Errors of httpcore as those of httpx, which have the same names."""
    try:
        yield
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if type(error).__module__.partition(".")[0] != "httpcore" or kind is None:
            raise
        raise kind(str(error)) from error
