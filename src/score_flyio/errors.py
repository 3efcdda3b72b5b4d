"""Every exception of the library.

    ScoreFlyError
    ├─ InputError                     what a person wrote is wrong (exit code 2)
    │  ├─ UsageError
    │  ├─ ScoreFileError
    │  ├─ PlaceholderError
    │  ├─ ConfigError
    │  └─ UnsupportedFeatureError
    ├─ ResourceError                  a resource cannot be provided (1)
    │  ├─ NoProvisionerError
    │  ├─ ResourceCycleError
    │  ├─ ResourceConflictError
    │  └─ ProvisionFailed
    ├─ ImageError
    ├─ FlyError                       the platform said no, or nothing (1)
    │  ├─ FlyConnectionError, FlyTimeout
    │  ├─ FlyProtocolError
    │  └─ FlyApiError                 NotAuthorized, NotFound, Conflict, PreconditionFailed,
    │                                 InvalidRequest, RequestTimedOut, RateLimited, FlyServerError,
    │                                 InsufficientCapacity, NameTaken
    ├─ PlanError                      StalePlan, DestructiveChange
    ├─ DeployError                    (1), HealthCheckFailed (3), LeaseLost …
    └─ StateError                     StateLocked (4), StateCorrupt, StateTooNew, StateConflict

No ExceptionGroup leaves the library: several failures are one error with `failures`.
httpx and cattrs exceptions never cross the `fly` border; they are chained as causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import field, frozen


@frozen(kw_only=True)
class Problem:
    """One thing wrong with one input: where, what, and how to mend it."""

    message: str
    """What is wrong, with the value that is wrong."""
    file: str | None = None
    """The file as the user named it."""
    line: int | None = None
    """Line in the file, from 1."""
    place: str | None = None
    """Path inside the document, such as `containers.main.files[/etc/app.conf].source`."""
    hint: str | None = None
    """What to do about it."""
    code: str = "invalid"
    """Stable name of the kind of problem."""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        head = ": ".join(part for part in (where, self.place) if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ScoreFlyError(Exception):
    """Base of all errors. `str()` says what went wrong; `hint` says what to do about it."""

    exit_code: ClassVar[int] = 1
    code: str = "failed"
    """Stable name of the kind of error, for machine-readable output."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        if code is not None:
            self.code = code


class InputError(ScoreFlyError):
    """Something a person wrote is wrong. `problems` has all that is wrong with it."""

    exit_code = 2
    code = "input_invalid"

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        if message is None:
            message = "\n".join(str(problem) for problem in problems)
        if code is None and problems:
            code = problems[0].code
        super().__init__(message, hint=hint, code=code, problems=problems)


class UsageError(InputError):
    """Commands, options or arguments that do not fit."""

    code = "cli_usage"


class ScoreFileError(InputError):
    """A Score file (or an override of it) that cannot be used."""

    code = "schema_invalid"


class PlaceholderError(InputError):
    """A `${…}` that cannot be resolved."""

    code = "placeholder_invalid"


class ConfigError(InputError):
    """Settings, a provisioner definition, a fly.toml or the environment are wrong."""

    code = "config_invalid"


class UnsupportedFeatureError(InputError):
    """Valid Score that Fly cannot run; the hint says what to do instead."""

    code = "unsupported_feature"


class ResourceError(ScoreFlyError):
    """A resource cannot be provided."""

    code = "resource_failed"


class NoProvisionerError(ResourceError):
    """No provisioner serves a resource."""

    code = "provisioner_not_found"


class ResourceCycleError(ResourceError):
    """The params of resources depend on each other in a circle."""

    code = "resource_cycle"


class ResourceConflictError(ResourceError):
    """Two definitions of one shared resource differ."""

    code = "resource_conflict"


class ProvisionFailed(ResourceError):
    """A provisioner failed; what it returned before is kept in the state."""

    code = "provisioner_failed"

    def __init__(
        self, message: str, *, uid: str, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.uid = uid


class ImageError(ScoreFlyError):
    """A container image is missing, cannot be built or cannot be pushed."""

    code = "image_failed"


class FlyError(ScoreFlyError):
    """Talking to Fly failed."""

    code = "fly_failed"


@frozen(kw_only=True)
class Request:
    """Which call an error is about."""

    method: str
    path: str
    operation: str | None = None


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


class FlyProtocolError(FlyError):
    """An answer that does not have the documented shape; `problems` has the paths."""

    code = "fly_protocol"

    def __init__(self, message: str, *, request: Request, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, problems=problems)
        self.request = request


@frozen(kw_only=True)
class ApiAnswer:
    """An error answer of the API."""

    status: int
    message: str
    """The server's own words."""
    status_code: str | None = None
    """The `status` member of the error body, such as `insufficient_capacity`: an open set."""
    request_id: str | None = None
    """The `fly-request-id` header."""
    retry_after: float | None = None
    """Seconds, from the `retry-after` header."""
    body: Any = field(default=None, repr=False)


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
        return self.answer.status

    @property
    def request_id(self) -> str | None:
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


class PlanError(ScoreFlyError):
    """A plan cannot be made or used."""

    code = "plan_failed"


class StalePlan(PlanError):
    """What runs on Fly changed since the plan was made."""

    code = "plan_stale"


class DestructiveChange(PlanError):
    """The change deletes something and was not agreed to."""

    code = "plan_destructive"
    exit_code = 2


class DeployError(ScoreFlyError):
    """A deploy failed; `failures` has each failure."""

    code = "deploy_failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        failures: Sequence[Exception] = (),
        report: Any = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.failures = tuple(failures)
        self.report = report
        """The `Report` of the run, where the error ends one."""


class HealthCheckFailed(DeployError):
    """Deployed, but a machine did not become healthy."""

    exit_code = 3
    code = "unhealthy"


class LeaseLost(DeployError):
    """The exclusive hold on a machine ended while it was needed."""

    code = "lease_lost"


class LeaseHeld(DeployError):
    """Someone else holds the lease of a machine."""

    code = "lease_held"


class ReleaseCommandFailed(DeployError):
    """The release command ended with a non-zero exit code; nothing else was touched."""

    code = "release_command_failed"


class StateError(ScoreFlyError):
    """The project state cannot be read or written."""

    code = "state_failed"


class NotInitialised(StateError):
    """There is no project state in this folder."""

    code = "not_initialised"
    exit_code = 2


class StateLocked(StateError):
    """Another run holds the state."""

    exit_code = 4
    code = "state_locked"


class StateCorrupt(StateError):
    """The state cannot be decoded; `problems` names the places."""

    code = "state_invalid"


class StateTooNew(StateError):
    """The state was written by a newer version."""

    code = "state_too_new"


class StateConflict(StateError):
    """The state was changed by someone else since it was read."""

    code = "state_conflict"
