"""From the answers of the API to the exceptions of `score_flyio.errors`.

The error body is JSON with `message` or `error` (text) and often `status` (a code of an open set);
what is not JSON is shown as it is. Statuses and text markers are those the public clients know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from score_flyio.base.place import Path, with_leaves
from score_flyio.base.secret import Secret, masked
from score_flyio.errors import (
    ApiAnswer,
    Conflict,
    FlyApiError,
    FlyConnectionError,
    FlyProtocolError,
    FlyServerError,
    InsufficientCapacity,
    InvalidRequest,
    NameTaken,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Request,
    RequestTimedOut,
)
from score_flyio.errors.fly import PROTOCOL_HINT
from score_flyio.net.exchange import retry_after

BY_STATUS: Final[Mapping[int, type[FlyApiError]]] = {
    401: NotAuthorized,
    403: NotAuthorized,
    404: NotFound,
    408: RequestTimedOut,
    409: Conflict,
    412: PreconditionFailed,
    429: RateLimited,
}
BY_CODE: Final[Mapping[str, type[FlyApiError]]] = {
    "insufficient_capacity": InsufficientCapacity,
    "volume_placement": InsufficientCapacity,
    "volume_placement_capacity": InsufficientCapacity,
    "name_taken": NameTaken,
}
NO_ROOM: Final = (
    "could not reserve resource",
    "could not find a candidate host",
    "governor policy blocked",
    "insufficient resources",
    "insufficient memory",
    "insufficient cpus",
    "insufficient ips",
    "insufficient capacity",
    "no capacity",
)
BY_TEXT: Final[Mapping[str, type[FlyApiError]]] = {
    **dict.fromkeys(NO_ROOM, InsufficientCapacity),
    "name has already been taken": NameTaken,
}
HOST_CLOSED: Final = "deploys to this host are temporarily disabled"
"""Said of a host under maintenance, behind "unavailable": any status may come with it."""
OF_REGION: Final = ("no capacity", "could not find a candidate host")
"""What is said where no host of a region has room."""
REFUSALS: Final = frozenset({400, 409, 412, 422})
"""Statuses that say too little by themselves, so that the text decides."""
HINTS: Final[Mapping[type[FlyApiError], str]] = {
    InsufficientCapacity: "choose another region or a smaller size, or try again later",
    NameTaken: "app names are unique on the whole platform: choose another name",
    RateLimited: "other programs may be using the same organization; try again later",
}
LONGEST_TEXT: Final = 2000


def api_error(
    request: Request,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[Secret] = (),
) -> FlyApiError:
    """The exception for an answer that is not a success; header names in lower case.

    What it repeats of `secrets` does not show; what kind it is, its own words tell.
    """

    def shown(_: Path, value: Any) -> Any:
        return masked(value, secrets) if isinstance(value, str) else value

    document, text = _read(body)
    code = document.get("status")
    code = code if isinstance(code, str) and code not in ("", "error") else None
    answer = ApiAnswer(
        status=status,
        message=masked(text, secrets)[:LONGEST_TEXT],
        status_code=code,
        request_id=headers.get("fly-request-id"),
        retry_after=retry_after(headers),
        body=with_leaves(document or None, shown),
    )
    kind = _kind(status, code, text.lower())
    return kind(request, answer, hint=_hint(kind, answer))


def is_doubtful(error: Exception) -> bool:
    """Whether a change was carried out is unknown: a lost answer, 408, 5xx, an unreadable answer.

    Look before repeating a change that is not repeat-safe.
    """
    if isinstance(error, FlyConnectionError):
        return error.sent
    return isinstance(error, (RequestTimedOut, FlyServerError, FlyProtocolError))


def is_of_one_host(refusal: InsufficientCapacity) -> bool:
    """Whether one host has no room, and nothing is said of the others of its region.

    The vendor's client takes 409 so, unless a code or the text speaks of the region.
    """
    text = refusal.answer.message.lower()
    of_region = refusal.answer.status_code or any(words in text for words in OF_REGION)
    return refusal.status == 409 and not of_region


def _read(body: bytes) -> tuple[dict[str, Any], str]:
    raw = body.decode("utf-8", errors="replace").strip()
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return {}, raw
    texts = (document.get(key) for key in ("message", "error"))
    return document, next((text for text in texts if isinstance(text, str) and text), raw)


def _kind(status: int, code: str | None, text: str) -> type[FlyApiError]:
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if HOST_CLOSED in text:
        return InsufficientCapacity
    if status in REFUSALS:
        for marker, kind in BY_TEXT.items():
            if marker in text:
                return kind
    return FlyServerError if status >= 500 else BY_STATUS.get(status, InvalidRequest)


def _hint(kind: type[FlyApiError], answer: ApiAnswer) -> str | None:
    if answer.status == 401:
        return "the token is missing, wrong or expired: set FLY_API_TOKEN to a valid one"
    if answer.status == 403:
        return (
            "ask for a larger quota"
            if "over the allowed quota" in answer.message.lower()
            else "the token does not cover this: use one of the organization that owns it"
        )
    if 300 <= answer.status < 400:
        return PROTOCOL_HINT
    return HINTS.get(kind)
