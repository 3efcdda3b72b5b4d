"""Requests and answers as the emulator sees them, without any HTTP library."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from attrs import define, field, frozen

from fly_emulator.records import Json, MachineRecord

NONCE_HEADER = "fly-machine-lease-nonce"
_CHALLENGE = {"www-authenticate": 'Basic realm="fly"'}
"""How to log in: builders that push wait to be told."""
PROXY_PAGE = b"<!doctype html><title>One moment</title>"


@frozen(kw_only=True)
class ApiRequest:
    """One call. `headers` has lower-case names."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""

    @property
    def token(self) -> str:
        """The token of the authorization header, without its scheme word; a login's password."""
        text = self.headers.get("authorization", "").strip()
        scheme, _, rest = text.partition(" ")
        if scheme.lower() == "basic":
            return basic_login(rest)[1]
        return rest.strip() if scheme.lower() in {"bearer", "flyv1"} else text


@frozen(kw_only=True)
class ApiResponse:
    """One answer; `document` is any JSON value, None for an empty body."""

    status: int = 200
    document: Any = None
    raw: bytes | None = None
    """Bytes instead of a document."""
    media_type: str = "text/plain; charset=utf-8"
    """Of `raw`."""
    headers: Mapping[str, str] = field(factory=dict)

    def content(self) -> tuple[bytes, str | None]:
        if self.raw is not None:
            return self.raw, self.media_type
        if self.document is None:
            return b"", None
        return json.dumps(self.document, separators=(",", ":")).encode(), "application/json"


def garbled(response: ApiResponse, how: str) -> ApiResponse:
    """A success that says nothing: `html`, `cut` or `null`."""
    if response.status >= 400:
        return response
    if how == "html":
        return ApiResponse(raw=PROXY_PAGE, media_type="text/html")
    content, media_type = response.content()
    content = b"null" if how == "null" else content[: len(content) // 2]
    return ApiResponse(raw=content, media_type=media_type or "application/json")


Answered: TypeAlias = Json | list[Json] | ApiResponse | None
"""A document, all of an answer, or nothing to say."""


@frozen(kw_only=True)
class Waiting:
    """An answer that is not there yet: ask `poll` again when the machine changes.

    `poll` gives the answer, or raises Refusal, as soon as there is one, at latest at `deadline`.
    """

    poll: Callable[[float], Answered]
    deadline: float
    machine: str | None = None
    """Id of the machine whose changes matter; None: only time does."""


@frozen(kw_only=True)
class Execution:
    """A command to be run in a machine."""

    machine: MachineRecord
    command: tuple[str, ...]
    stdin: str
    timeout: float
    container: str | None = None


Outcome: TypeAlias = Answered | Waiting | Execution


def answered(found: Answered) -> ApiResponse:
    """The whole answer."""
    if isinstance(found, ApiResponse):
        return found
    return ApiResponse(status=204 if found is None else 200, document=found)


@define(eq=False)
class Refusal(Exception):
    """The platform says no: becomes an error answer."""

    status: int
    message: str
    code: str | None = field(default=None, kw_only=True)
    envelope: bool = field(default=False, kw_only=True)
    plain: bool = field(default=False, kw_only=True)
    headers: Mapping[str, str] = field(factory=dict, kw_only=True)
    document: Any = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.message

    def response(self) -> ApiResponse:
        headers = {**_CHALLENGE, **self.headers} if self.status == 401 else self.headers
        if self.plain:
            return ApiResponse(status=self.status, raw=self.message.encode(), headers=headers)
        document = self.document
        if document is None and self.envelope:
            document = {"status": "error", "message": self.message, "code": self.code or "invalid"}
        elif document is None:
            document = {"error": self.message, **({"status": self.code} if self.code else {})}
        return ApiResponse(status=self.status, document=document, headers=headers)


def basic_login(text: str) -> tuple[str, str]:
    """User and password of a login; both empty where there is none."""
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


@define(eq=False)
class ConnectionBroken(Exception):
    """A fault: the caller gets no answer."""

    kind: Literal["refuse", "reset", "hang"]
