"""Whether Fly's image registry takes a token.

Rules: OCI distribution specification (`GET /v2/`) and Docker token authentication; the user is `x`,
the password the token (flyctl).
"""

from __future__ import annotations

import re
from typing import Final

import httpx

from score_flyio.base.http import http_client
from score_flyio.base.network import network_reason
from score_flyio.errors import (
    ApiAnswer,
    FlyConnectionError,
    NotAuthorized,
    Request,
)
from score_flyio.fly.auth import Tokens

HOST: Final = "registry.fly.io"
_REQUEST: Final = Request(method="GET", path="/v2/")
_SECONDS: Final = 15.0
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')


async def check_login(
    tokens: Tokens, *, host: str = HOST, transport: httpx.AsyncBaseTransport | None = None
) -> None:
    """Log in to the registry, and do nothing there.

    Raises:
        NotAuthorized: the registry does not take the token.
        FlyConnectionError: it does not answer.
    """
    auth = httpx.BasicAuth("x", tokens.password().reveal())
    async with http_client(transport=transport, timeout=_SECONDS) as client:
        try:
            response = await client.get(f"https://{host}/v2/", auth=auth)
            realm = _realm(response)
            if realm is not None:
                response = await client.get(realm, auth=auth)
        except httpx.HTTPError as error:
            raise FlyConnectionError(
                f"{host} does not answer: {network_reason(error)}",
                request=_REQUEST,
                sent=False,
                hint="check the network, proxies and firewalls",
            ) from error
    if not response.is_success:
        raise NotAuthorized(
            _REQUEST,
            ApiAnswer(status=response.status_code, message=f"{host} refuses the token"),
            hint="use a token that may deploy, such as fly tokens create deploy gives",
        )


def _realm(response: httpx.Response) -> str | None:
    """Where to get a token for the registry, when the answer asks for one of its own."""
    challenge = response.headers.get("www-authenticate", "")
    if response.status_code != httpx.codes.UNAUTHORIZED or not challenge.startswith("Bearer "):
        return None
    parameters = dict(_PARAMETER.findall(challenge))
    realm = parameters.pop("realm", None)
    if realm is None or httpx.URL(realm).scheme != "https":
        return None
    return str(httpx.URL(realm, params=parameters))
