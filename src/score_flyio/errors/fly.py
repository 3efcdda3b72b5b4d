"""Errors of the platform: it said no, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from score_flyio.base.record import field, frozen
from score_flyio.errors.base import Problem, ScoreFlyError


class FlyError(ScoreFlyError):
    """Talking to Fly failed."""

    code = "fly_failed"


@frozen(kw_only=True)
class Request:
    """Which call an error is about."""

    method: str
    """HTTP method."""
    path: str
    """Path of the call, without secrets."""
    operation: str | None = None
    """Name of the operation in the API document."""


class FlyConnectionError(FlyError):
    """No answer. `sent` tells whether the request may have been executed."""

    code = "fly_unreachable"

    def __init__(
        self, message: str, *, request: Request, sent: bool, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.request = request
        self.sent = sent


class FlyTimeout(FlyConnectionError):
    """No answer in time."""

    code = "fly_timeout"


PROTOCOL_HINT: Final = (
    "run the same command again; if it stays so, see whether a proxy or another server answers in "
    "place of the API (HTTPS_PROXY, FLY_FLAPS_BASE_URL)"
)


class FlyProtocolError(FlyError):
    """An answer that does not have the documented shape; `problems` has the paths."""

    code = "fly_protocol"

    def __init__(self, message: str, *, request: Request, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=PROTOCOL_HINT, problems=problems)
        self.request = request


@frozen(kw_only=True)
class ApiAnswer:
    """An error answer of the API."""

    status: int
    """HTTP status of the answer."""
    message: str
    """The server's own words."""
    status_code: str | None = None
    """The `status` member of the error body, such as `insufficient_capacity`: an open set."""
    request_id: str | None = None
    """The `fly-request-id` header."""
    retry_after: float | None = None
    """Seconds, from the `retry-after` header."""
    body: Any = field(default=None, repr=False)
    """What the answer said."""


class FlyApiError(FlyError):
    """The API refused a call."""

    code = "fly_api"

    def __init__(self, request: Request, answer: ApiAnswer, *, hint: str | None = None) -> None:
        parts = [f"{request.method} {request.path}: {answer.status} {answer.message}".rstrip()]
        if answer.status_code:
            parts.append(f"[{answer.status_code}]")
        if answer.request_id:
            parts.append(f"(request id {answer.request_id})")
        super().__init__(" ".join(parts), hint=hint)
        self.request = request
        self.answer = answer

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.answer.status

    @property
    def request_id(self) -> str | None:
        """Fly's name for the request, for its support."""
        return self.answer.request_id


class InvalidRequest(FlyApiError):
    """400 or 422."""

    code = "fly_invalid_request"


class NotAuthorized(FlyApiError):
    """401 or 403."""

    code = "fly_not_authorized"


class NotFound(FlyApiError):
    """404."""

    code = "fly_not_found"


class RequestTimedOut(FlyApiError):
    """408: for a wait, not reached yet; for a change, the outcome is unknown."""

    code = "fly_request_timeout"


class Conflict(FlyApiError):
    """409: leased by someone else, or the host has no room."""

    code = "fly_conflict"


class PreconditionFailed(FlyApiError):
    """412."""

    code = "fly_precondition_failed"


class RateLimited(FlyApiError):
    """429, after waiting it out was given up."""

    code = "fly_rate_limited"


class FlyServerError(FlyApiError):
    """5xx: for a change, the outcome is unknown."""

    code = "fly_server_error"


class InsufficientCapacity(FlyApiError):
    """No host in the region, or the host of the volume or machine, has room."""

    code = "fly_insufficient_capacity"


class NameTaken(FlyApiError):
    """The app name is used by someone on the platform."""

    code = "fly_name_taken"
