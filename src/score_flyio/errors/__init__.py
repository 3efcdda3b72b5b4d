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
    ├─ ImageError                     ImageNotFound, RegistryDenied, RegistryUnavailable
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

from importlib import import_module
from typing import TYPE_CHECKING, Any

from score_flyio.errors.base import (
    Problem,
    ScoreFlyError,
)
from score_flyio.errors.inputs import (
    ConfigError,
    InputError,
    PlaceholderError,
    ScoreFileError,
    UnsupportedFeatureError,
    UsageError,
)
from score_flyio.errors.runs import (
    DeployError,
    DestructiveChange,
    HealthCheckFailed,
    ImageError,
    ImageNotFound,
    LeaseHeld,
    LeaseLost,
    MachineCheckFailed,
    NoProvisionerError,
    NotInitialised,
    PlanError,
    ProvisionFailed,
    RegistryDenied,
    RegistryUnavailable,
    ReleaseCommandFailed,
    ResourceConflictError,
    ResourceCycleError,
    ResourceError,
    StalePlan,
    StateConflict,
    StateCorrupt,
    StateError,
    StateLocked,
    StateTooNew,
)

if TYPE_CHECKING:
    from score_flyio.errors.fly import (
        ApiAnswer,
        Conflict,
        FlyApiError,
        FlyConnectionError,
        FlyError,
        FlyProtocolError,
        FlyServerError,
        FlyTimeout,
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

__all__ = [
    "ApiAnswer",
    "ConfigError",
    "Conflict",
    "DeployError",
    "DestructiveChange",
    "FlyApiError",
    "FlyConnectionError",
    "FlyError",
    "FlyProtocolError",
    "FlyServerError",
    "FlyTimeout",
    "HealthCheckFailed",
    "ImageError",
    "ImageNotFound",
    "InputError",
    "InsufficientCapacity",
    "InvalidRequest",
    "LeaseHeld",
    "LeaseLost",
    "MachineCheckFailed",
    "NameTaken",
    "NoProvisionerError",
    "NotAuthorized",
    "NotFound",
    "NotInitialised",
    "PlaceholderError",
    "PlanError",
    "PreconditionFailed",
    "Problem",
    "ProvisionFailed",
    "RateLimited",
    "RegistryDenied",
    "RegistryUnavailable",
    "ReleaseCommandFailed",
    "Request",
    "RequestTimedOut",
    "ResourceConflictError",
    "ResourceCycleError",
    "ResourceError",
    "ScoreFileError",
    "ScoreFlyError",
    "StalePlan",
    "StateConflict",
    "StateCorrupt",
    "StateError",
    "StateLocked",
    "StateTooNew",
    "UnsupportedFeatureError",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    """The errors of the platform, on first use: many runs never talk to it."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.fly"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
