"""Provisioners that are HTTP services: POST provisions, DELETE deprovisions.

User and password in the URL become basic authentication. Redirects are not followed: the request
may hold secrets, which must not go to an address nobody configured.
"""

from __future__ import annotations

import math

import anyio
import httpx

from score_flyio.base.record import field, frozen
from score_flyio.net.exchange import network_reason
from score_flyio.net.http import TooLongError, http_client, read_body
from score_flyio.net.web_address import shown_url
from score_flyio.resources.protocol import (
    MAX_ANSWER,
    Calling,
    Mode,
    beginning,
    call_failed,
    encode_request,
    understand,
)
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.state.resources import HttpSpec

TARGET_HEADER = "Score-Flyio-Target"
"""Says what the resource is for: `fly`, `emulator`, or an address."""
CONNECT_TIMEOUT = 30.0
"""Seconds to open a connection."""
SHOWN = 300
"""Characters of a failed call's body that a message shows."""


@frozen(kw_only=True)
class HttpProvisioner(Calling):
    """Calls `spec.url` once for each resource."""

    uses_shared = None
    id: str
    spec: HttpSpec
    timeout: float = math.inf
    """Seconds for one call."""
    transport: httpx.AsyncBaseTransport | None = field(default=None, repr=False)
    """None: the network."""

    async def call(self, mode: Mode, request: ProvisionRequest) -> ProvisionResult:
        body = encode_request(request)
        method = "POST" if mode == "provision" else "DELETE"
        where = f"{method} {shown_url(self.spec.url)}"
        try:
            with anyio.fail_after(self.timeout):
                answer, failure = await self._send(method, where, body, request.target)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"{where}: no answer: {network_reason(error)}"
            hint = "check the address and whether the service runs; then run the same command again"
            raise call_failed(request, self.id, message, hint=hint) from error
        except TooLongError:
            message = f"{where}: the answer is longer than {MAX_ANSWER} bytes"
            raise call_failed(request, self.id, message) from None
        except TimeoutError:
            message = f"{where}: no answer within {self.timeout:g} s"
            raise call_failed(request, self.id, message) from None
        return understand(answer, failure, mode=mode, request=request, provisioner=self.id)

    async def _send(
        self, method: str, where: str, body: bytes, target: str
    ) -> tuple[bytes, str | None]:
        """What it answered, and why it failed."""
        limits = httpx.Timeout(None, connect=CONNECT_TIMEOUT)
        async with http_client(transport=self.transport, timeout=limits) as client:
            del client.headers["accept"]
            headers = {"Content-Type": "application/json", TARGET_HEADER: target}
            if method == "POST":
                headers["Accept"] = "application/json"
            async with client.stream(
                method, self.spec.url, content=body, headers=headers
            ) as response:
                content = await read_body(response, MAX_ANSWER)
        return content, None if response.is_success else _describe(where, response, content)


def _describe(where: str, response: httpx.Response, content: bytes) -> str:
    text = f"{where} answered {response.status_code} {response.reason_phrase}".rstrip()
    if response.has_redirect_location:
        return f"{text}, a redirect to {shown_url(response.headers['location'])}, not followed"
    # An answer may hold secrets, whatever its content type; a page of a proxy does not.
    shown = content.decode("utf-8-sig", errors="replace").strip()
    if shown and not shown.startswith(("{", "[")) and '"secrets"' not in shown:
        return f"{text}: {beginning(shown, SHOWN)}"
    return text
