"""Objects of a web server that honours conditional requests (RFC 9110, section 13).

The state is at the URL itself, its lock at the URL followed by `.lock`.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote

import httpx

from score_flyio._version import __version__
from score_flyio.errors import ConfigError, StateError
from score_flyio.net.credentials import credential
from score_flyio.net.exchange import network_reason, trusting_nobody
from score_flyio.net.http import http_client
from score_flyio.net.web_address import read_web_address
from score_flyio.state.blobs import Found, Refused, Unavailable

TOKEN_VARIABLE: Final = "SCORE_FLYIO_STATE_TOKEN"  # noqa: S105  # its name, not a token
EXAMPLE: Final = "https://states.example.com/shop.yaml"
CODE: Final = "state_location_invalid"
TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
"""Seconds."""
_REFUSED: Final = frozenset({409, 412})
_GONE: Final = frozenset({404, 410})
_REPEATED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpsBlobs:
    """The objects at URLs that start with that of the state; a query stays behind each."""

    def __init__(self, url: str, environ: Mapping[str, str], *, named: str = "state") -> None:
        """Raises ConfigError for a URL that cannot be used."""
        address = read_web_address(url, name=named, example=EXAMPLE, code=CODE, confidential=True)
        self.shown = address.shown
        self._parts = address.parts
        path = address.parts.path
        if path in {"", "/"} or path.endswith("/"):
            raise ConfigError(
                f"{named}: {self.shown!r} does not name a document",
                hint=f"give https://HOST/PATH, for example {EXAMPLE}",
                code=CODE,
            )
        self._headers = {
            "User-Agent": f"score-flyio/{__version__}",
            # A compressing server would give the compressed text another ETag.
            "Accept-Encoding": "identity",
        }
        user, password = address.user, unquote(address.password or "")
        self._login = None if user is None else httpx.BasicAuth(unquote(user), password)
        self._token = credential(environ, TOKEN_VARIABLE)
        self._trust = httpx.create_ssl_context() if address.encrypted else trusting_nobody()

    async def read(self, name: str) -> Found | None:
        answer = await self._exchange("GET", name)
        if answer.status_code in _GONE:
            return None
        if answer.status_code != 200:
            raise self._unexpected(answer, name)
        etag = answer.headers.get("ETag")
        if etag is None:
            raise StateError(
                f"{self.shown}{name}: the server names no version (ETag) of it",
                hint="keep the state where conditional requests work",
            )
        return Found(data=answer.content, etag=etag, at=_modified(answer))

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str:
        condition = {"If-None-Match": "*"} if replaces is None else {"If-Match": replaces}
        kind = {"Content-Type": "application/octet-stream"}
        answer = await self._exchange("PUT", name, headers=condition | kind, content=data)
        if answer.status_code in _REFUSED or (replaces and answer.status_code in _GONE):
            raise Refused(f"{self.shown}{name}: someone else changed it")
        if not answer.is_success:
            raise self._unexpected(answer, name)
        etag: str = answer.headers.get("ETag", "")
        return etag

    async def delete(self, name: str, etag: str) -> None:
        condition = {"If-Match": etag}
        if etag.startswith("W/"):
            # It may match nothing, not even itself; this look makes a mistake improbable.
            there = await self.read(name)
            if there is not None and there.etag != etag:
                raise Refused(f"{self.shown}{name}: someone else changed it")
            condition = {}
        answer = await self._exchange("DELETE", name, headers=condition)
        if answer.status_code in _REFUSED:
            raise Refused(f"{self.shown}{name}: someone else changed it")
        if not answer.is_success and answer.status_code not in _GONE:
            raise self._unexpected(answer, name)

    async def _exchange(
        self,
        method: str,
        name: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        url = self._parts._replace(path=self._parts.path + name).geturl()
        authorization = {"Authorization": f"Bearer {self._token.reveal()}"} if self._token else {}
        # A client for each exchange: a store has no end at which a lasting one could be closed.
        try:
            async with http_client(
                headers=self._headers | authorization,
                auth=None if self._token else self._login,
                trust=self._trust,
                timeout=TIMEOUT,
            ) as client:
                answer = await client.request(method, url, headers=headers, content=content)
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self.shown}{name}: {method}: no answer: {network_reason(error)}",
                hint="check the address and the network",
            ) from error
        if answer.status_code in _REPEATED:
            raise Unavailable(
                f"{self.shown}{name}: {method} answered {answer.status_code}",
                hint="run the command again later; the log of that server says more",
            )
        return answer

    def _unexpected(self, answer: httpx.Response, name: str) -> StateError:
        status, method = answer.status_code, answer.request.method
        hint = "check that the address takes GET, PUT and DELETE"
        if status in {401, 403}:
            hint = f"check {TOKEN_VARIABLE}, or the user and password in the URL"
        elif answer.is_redirect:
            hint = "give the address that it redirects to"
        return StateError(f"{self.shown}{name}: {method} answered {status}", hint=hint)


def _modified(answer: httpx.Response) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp()
    except (KeyError, ValueError):
        return None
