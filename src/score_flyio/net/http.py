"""The one way to make HTTP clients: certificates count, and this machine needs no proxy."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, cast

import anyio
import httpx

from score_flyio.errors import ConfigError
from score_flyio.net.exchange import Answered, Asked, NoAnswerError, UnreadableError
from score_flyio.net.in_flight import in_flight
from score_flyio.net.web_address import is_loopback, shown_url, trusting_nobody

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
    """What httpx calls a transport, as a network."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, asked: Asked) -> Answered:
        """Raises NoAnswerError and UnreadableError."""
        try:
            request = httpx.Request(
                asked.method,
                asked.url,
                headers=asked.headers,
                content=asked.body,
                extensions={"timeout": asked.timeout, WAITS: True},
            )
            response = await self._answered(request, asked)
        except httpx.TransportError as error:
            raise NoAnswerError(type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreadableError(type(error).__name__) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answered(status=response.status_code, headers=headers, body=response.content)

    async def _answered(self, request: httpx.Request, asked: Asked) -> httpx.Response:
        """An answer that was read; httpx limits the parts of a wait, but not the whole."""
        limits = asked.timeout.get("connect"), asked.timeout.get("read")
        with anyio.move_on_after(sum(filter(None, limits)) or None):
            response = await self._transport.handle_async_request(request)
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
            return response
        raise httpx.ReadTimeout("")

    async def aclose(self) -> None:
        """Closes the transport."""
        await self._transport.aclose()


class _ByClient(httpx.AsyncBaseTransport):
    """The network as a client finds it, which knows the proxies of the environment."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def through_proxies(trust: ssl.SSLContext) -> OverHttpx:
    """The network beyond the proxies of the environment, for whoever sends thousands of requests.

    Raises ConfigError for a proxy that cannot be used.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
    return OverHttpx(_ByClient(http_client(limits=limits, trust=trust)))
