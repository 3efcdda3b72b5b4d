"""HTTP clients: proxies and certificates."""

from __future__ import annotations

import os
import ssl
from typing import ClassVar

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener

from score_flyio.errors import ConfigError
from score_flyio.net.connections import Connections
from score_flyio.net.exchange import Asked, open_network, retry_after
from score_flyio.net.http import http_client


@pytest.mark.parametrize(
    "proxy", ["socks5://u:MARKED@host:1", "ftp://u:MARKED@host", "http://u:MARKED@[::1"]
)
def test_a_proxy_that_cannot_be_used_is_refused(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigError, match="proxy") as caught:
        http_client()
    assert "MARKED" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "registry.localhost", "127.0.0.1", "127.0.0.2"),
        *("127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"),
    ],
)
async def test_this_machine_is_reached_without_the_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:1")
    async with http_client(encrypted=False) as client:
        mine = client._transport_for_url(httpx.URL(f"http://{host}:4280/"))
        assert mine is client._transport
        for other in ("api.machines.dev", "128.0.0.1", "localhost.example.com", "[::2]"):
            url = httpx.URL(f"https://{other}/")
            assert client._transport_for_url(url) is not client._transport


async def test_plain_http_trusts_no_certificate() -> None:
    async with http_client(encrypted=False) as client:
        context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.cert_store_stats()["x509"] == 0


class _Proxy:
    """A proxy for plain HTTP that says who asked it for what."""

    asked: ClassVar[list[str]] = []

    @classmethod
    async def answer(cls, stream: SocketStream) -> None:
        async with stream:
            text = (await stream.receive()).decode()
            cls.asked.append(text.partition("\r\n")[0])
            await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def _served(listener: MultiListener[SocketStream]) -> None:
    async with listener:
        await listener.serve(_Proxy.answer)


@pytest.mark.parametrize("through", [True, False])
async def test_the_network_of_many_calls_has_the_proxy_of_the_environment(
    through: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And loopback is reached without it."""
    _Proxy.asked.clear()
    async with anyio.create_task_group() as tasks:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        tasks.start_soon(_served, listener)
        port = listener.extra(SocketAttribute.local_port)
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        network = open_network(encrypted=False)
        url = "http://platform.invalid/v1" if through else f"http://127.0.0.1:{port}/v1"
        asked = Asked(method="GET", url=url, headers={}, seconds=5.0)
        assert (await network.exchange(asked)).body == b"ok"
        await network.aclose()
        tasks.cancel_scope.cancel()
    assert _Proxy.asked == [f"GET {url if through else '/v1'} HTTP/1.1"]


async def test_without_a_proxy_no_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    assert isinstance(open_network(encrypted=False), Connections)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", None])
def test_the_network_trusts_what_httpx_trusts(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str | None]] = []

    def note(**named: str | None) -> ssl.SSLContext:
        given.append({key: value for key, value in named.items() if value})
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(ssl, "create_default_context", note)
    if name is not None:
        monkeypatch.setenv(name, "/somewhere")
    open_network(encrypted=True)
    httpx.create_ssl_context()
    assert given[0] == given[1] != {}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:10 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            10.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers) == expected
