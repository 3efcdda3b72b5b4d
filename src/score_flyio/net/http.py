"""The one way to make HTTP clients: certificates count, and this machine needs no proxy."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from score_flyio.errors import ConfigError
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
    """A client for one kind of server, to be closed by the caller.

    Args:
        encrypted: False where all addresses are plain http, so that no certificates are loaded.
        transport: Used in place of the network.
        trust: The TLS context of another client, so that certificates are loaded once.
        settings: Those of `httpx.AsyncClient`.

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


class _ByClient(httpx.AsyncBaseTransport):
    """The network as a client finds it, which knows the proxies of the environment."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def http_transport(trust: Any) -> httpx.AsyncBaseTransport:
    """The network, for whoever sends thousands of requests: a client costs as much as its calls."""
    if urllib.request.getproxies():
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT)
        return _ByClient(http_client(limits=limits, trust=trust))
    from score_flyio.net.connections import Connections  # imports httpcore, which takes long

    return Connections(trust)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the `retry-after` header asks for; a date in it is compared with `date`."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            wanted = parsedate_to_datetime(text)
            seconds = (wanted - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
        except (TypeError, ValueError):
            return None
    return seconds if 0 <= seconds < float("inf") else None
