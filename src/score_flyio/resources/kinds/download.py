"""Fetching a file of provisioners."""

from __future__ import annotations

from typing import Final

import httpx

from score_flyio.errors import ConfigError
from score_flyio.net.exchange import network_reason
from score_flyio.net.http import TooLongError, http_client, read_body
from score_flyio.net.web_address import shown_url

LONGEST: Final = 1024 * 1024
TIMEOUT: Final = 30.0
"""Seconds without any progress."""


async def download(url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """What is at an http or https URL. Raises ConfigError."""
    shown = shown_url(url)
    try:
        async with (
            http_client(transport=transport, follow_redirects=True, timeout=TIMEOUT) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                raise ConfigError(f"GET {shown} answered {response.status_code}")
            return await read_body(response, LONGEST)
    except TooLongError:
        raise ConfigError(f"GET {shown}: longer than {LONGEST} bytes") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"GET {shown}: no answer: {network_reason(error)}",
            hint="check the address and the network, proxies and firewalls",
        ) from error
