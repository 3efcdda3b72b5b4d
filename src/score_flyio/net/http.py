"""The one way to make HTTP clients: certificates count, and this machine needs no proxy."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Final, cast

import anyio
import httpx

from score_flyio.errors import ConfigError
from score_flyio.net.exchange import (
    CONNECT_SECONDS,
    Answered,
    Asked,
    NoAnswerError,
    UnreadableError,
    trusting_nobody,
)
from score_flyio.net.in_flight import in_flight
from score_flyio.net.web_address import is_loopback, shown_url

WAITS: Final = "score_flyio_waits"
"""The extension of a request that is answered late on purpose."""
KEPT: Final = 64
"""How many connections to a proxy are kept."""


class _Client(httpx.AsyncClient):
    """Tells what it waits for, and sends nothing for this machine through a proxy."""

    def _transport_for_url(self, url: httpx.URL) -> httpx.AsyncBaseTransport:
        # The patterns that httpx takes for proxies know no networks such as 127.0.0.0/8.
        if is_loopback(url.host) or url.host.endswith(".localhost"):
            return self._transport
        return super()._transport_for_url(url)

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        if request.extensions.get(WAITS):
            return await super().send(request, **options)
        with in_flight(f"{request.method} {shown_url(str(request.url))}"):
            return await super().send(request, **options)


def http_client(
    *,
    encrypted: bool = True,
    transport: httpx.AsyncBaseTransport | None = None,
    trust: Any = None,
    **settings: Any,
) -> httpx.AsyncClient:
    """A client for one kind of server, to be closed by the caller; a `transport` is its network.

    No certificates are loaded where all addresses are plain http, not `encrypted`, or where the
    TLS context of another client is given to `trust`.

    Raises ConfigError for a proxy in the environment that cannot be used.
    """
    if transport is not None:
        return _Client(transport=transport, trust_env=False, **settings)
    if trust is None:
        trust = True if encrypted else trusting_nobody()
    try:
        return _Client(verify=trust, **settings)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigError(
            "the proxy that the environment names cannot be used",
            hint="HTTPS_PROXY, HTTP_PROXY and ALL_PROXY take http:// and https:// addresses; "
            "for socks5:// addresses, pip install 'httpx[socks]'",
            code="proxy_invalid",
        ) from error


class TooLongError(Exception):
    """A body is longer than any that is waited for."""


async def read_body(response: httpx.Response, most: int) -> bytes:
    """The body of an answer that comes as a stream. Raises TooLongError."""
    content = bytearray()
    body = cast("AsyncGenerator[bytes]", response.aiter_bytes())
    async with aclosing(body) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > most:
                raise TooLongError
    return bytes(content)


class OverHttpx:
    """What httpx calls a transport, or a client, as a network."""

    def __init__(
        self,
        send: Callable[[httpx.Request], Awaitable[httpx.Response]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._send, self._close = send, close

    async def exchange(self, asked: Asked) -> Answered:
        """Raises NoAnswerError and UnreadableError."""
        limits = httpx.Timeout(asked.seconds, connect=CONNECT_SECONDS, pool=None)
        response: httpx.Response | None = None
        try:
            request = httpx.Request(
                asked.method,
                asked.url,
                headers=asked.headers,
                content=asked.body,
                extensions={"timeout": limits.as_dict(), WAITS: True},
            )
            # httpx limits the parts of a wait, but not the whole.
            with anyio.move_on_after(CONNECT_SECONDS + asked.seconds):
                async with aclosing(await self._send(request)) as found:
                    await found.aread()
                    response = found
        except httpx.TransportError as error:
            raise NoAnswerError(type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreadableError(type(error).__name__) from error
        if response is None:
            raise NoAnswerError("ReadTimeout")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answered(status=response.status_code, headers=headers, body=response.content)

    async def aclose(self) -> None:
        await self._close()


def through_proxies(trust: ssl.SSLContext) -> OverHttpx:
    """The network beyond the proxies of the environment, for whoever sends thousands of requests.

    Raises ConfigError for a proxy that cannot be used.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
    client = http_client(limits=limits, trust=trust)
    return OverHttpx(partial(client.send, stream=True), client.aclose)
