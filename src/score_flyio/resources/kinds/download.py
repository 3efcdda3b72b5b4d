"""Fetching a file of provisioners."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

import httpx

from score_flyio.errors import ConfigError
from score_flyio.net.http import http_client
from score_flyio.net.reason import network_reason
from score_flyio.net.web_address import shown_url

LONGEST: Final = 1024 * 1024
TIMEOUT: Final = 30.0
"""Seconds without any progress."""


async def download(url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """What is at an http or https URL. Raises ConfigError."""
    shown = shown_url(url)
    content = bytearray()
    try:
        async with (
            http_client(transport=transport, follow_redirects=True, timeout=TIMEOUT) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                raise ConfigError(f"GET {shown} answered {response.status_code}")
            pieces = cast("AsyncGenerator[bytes]", response.aiter_bytes())
            async with aclosing(pieces) as chunks:
                async for chunk in chunks:
                    content += chunk
                    if len(content) > LONGEST:
                        raise ConfigError(f"GET {shown}: longer than {LONGEST} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigError(f"GET {shown}: no answer: {network_reason(error)}") from error
    return bytes(content)
