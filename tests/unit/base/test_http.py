"""HTTP clients: proxies and certificates."""

from __future__ import annotations

import ssl

import httpx
import pytest

from score_flyio.base.http import http_client
from score_flyio.errors import ConfigError


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


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_this_machine_is_reached_without_the_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:1")
    async with http_client(encrypted=False) as client:
        mine = client._transport_for_url(httpx.URL(f"http://{host}:4280/"))
        other = client._transport_for_url(httpx.URL("https://api.machines.dev/"))
        assert mine is client._transport
        assert other is not client._transport


async def test_plain_http_trusts_no_certificate() -> None:
    async with http_client(encrypted=False) as client:
        context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.cert_store_stats()["x509"] == 0
