"""Events of the resources that workloads need."""

from __future__ import annotations

from score_flyio.base.record import frozen
from score_flyio.events.base import Event


@frozen(kw_only=True)
class ProvisioningStarted(Event):
    """A provisioner is asked for a resource."""

    provisioner: str
    """Id of the provisioner."""


@frozen(kw_only=True)
class ProvisioningFinished(Event):
    """A provisioner gave the outputs of a resource."""

    provisioner: str
    """Id of the provisioner."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs, secrets included; never their values."""
    seconds: float = 0.0
    """Seconds that it took."""


@frozen(kw_only=True)
class ProvisioningFailed(Event):
    """A provisioner gave no outputs; workloads that need them stop here."""

    provisioner: str
    """Id of the provisioner."""
    error: str
    """What went wrong."""


@frozen(kw_only=True)
class DeprovisioningStarted(Event):
    """A provisioner is asked to remove what it made for a resource."""

    provisioner: str
    """Id of the provisioner."""


@frozen(kw_only=True)
class DeprovisioningFinished(Event):
    """What a provisioner made for a resource is gone."""

    provisioner: str
    """Id of the provisioner."""


@frozen(kw_only=True)
class DeprovisioningFailed(Event):
    """What a provisioner made for a resource may still be there; the project goes on knowing it."""

    provisioner: str
    """Id of the provisioner."""
    error: str
    """What went wrong."""
