"""What happens during a run, as typed events.

Each event has a stable `kind`, given by its class, for the JSON form. `scope` says what the event
is about. Events never carry secret values. A listener is called synchronously and in order.

The classes are imported on first use: a run needs few of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from score_flyio.events.base import Event, EventLog, Listener, Scope, to_json

if TYPE_CHECKING:
    from score_flyio.events.deploy import (
        CheckChanged,
        ImageResolved,
        LeaseAcquired,
        LeaseReleased,
        MachineStateChanged,
        PlanReady,
        RateLimitHit,
        RequestFinished,
        RequestRetried,
        RollbackFinished,
        RollbackStarted,
        StepFailed,
        StepFinished,
        StepSkipped,
        StepStarted,
    )
    from score_flyio.events.project import (
        FileWritten,
        StateSaved,
        WarningRaised,
        WorkloadLoaded,
    )
    from score_flyio.events.resources import (
        DeprovisioningFinished,
        DeprovisioningStarted,
        ProvisioningFailed,
        ProvisioningFinished,
        ProvisioningStarted,
    )
    from score_flyio.events.run import (
        RunFinished,
        RunStarted,
        TargetSelected,
        WorkloadFinished,
    )

__all__ = [
    "CheckChanged",
    "DeprovisioningFinished",
    "DeprovisioningStarted",
    "Event",
    "EventLog",
    "FileWritten",
    "ImageResolved",
    "LeaseAcquired",
    "LeaseReleased",
    "Listener",
    "MachineStateChanged",
    "PlanReady",
    "ProvisioningFailed",
    "ProvisioningFinished",
    "ProvisioningStarted",
    "RateLimitHit",
    "RequestFinished",
    "RequestRetried",
    "RollbackFinished",
    "RollbackStarted",
    "RunFinished",
    "RunStarted",
    "Scope",
    "StateSaved",
    "StepFailed",
    "StepFinished",
    "StepSkipped",
    "StepStarted",
    "TargetSelected",
    "WarningRaised",
    "WorkloadFinished",
    "WorkloadLoaded",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in ("project", "run", "resources", "deploy"):
            module = import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
