"""Events of every run: its frame, its workloads, their resources, its files."""

from __future__ import annotations

from attrs import frozen

from score_flyio.events.base import Event

# --- run


@frozen(kw_only=True, eq=False, repr=False)
class RunStarted(Event):
    """The first event of a run: which command, for which workloads or apps."""

    kind = "run_started"
    command: str
    workloads: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class TargetSelected(Event):
    """Where the run goes: the first thing a person must know."""

    kind = "target_selected"
    target: str
    emulated: bool = False


@frozen(kw_only=True, eq=False, repr=False)
class RunFinished(Event):
    """The last event of a run, whatever came of it."""

    kind = "run_finished"
    outcome: str
    """`done`, `unchanged`, `failed`, `unhealthy` or `interrupted`."""
    seconds: float = 0.0


@frozen(kw_only=True, eq=False, repr=False)
class WorkloadLoaded(Event):
    """A Score file was read and is valid."""

    kind = "workload_loaded"
    file: str


@frozen(kw_only=True, eq=False, repr=False)
class WorkloadFinished(Event):
    """One workload is through, whether or not the others are."""

    kind = "workload_finished"
    outcome: str
    error: str | None = None
    seconds: float = 0.0


@frozen(kw_only=True, eq=False, repr=False)
class WarningRaised(Event):
    """Something a person should know that stops nothing."""

    kind = "warning"
    message: str
    code: str = "warning"


# --- resources


@frozen(kw_only=True, eq=False, repr=False)
class ProvisioningStarted(Event):
    """A provisioner is asked for a resource."""

    kind = "provisioning_started"
    provisioner: str


@frozen(kw_only=True, eq=False, repr=False)
class ProvisioningFinished(Event):
    """A provisioner gave the outputs of a resource."""

    kind = "provisioning_finished"
    provisioner: str
    outputs: tuple[str, ...] = ()
    """Names of the outputs, secrets included; never their values."""
    seconds: float = 0.0


@frozen(kw_only=True, eq=False, repr=False)
class ProvisioningFailed(Event):
    """A provisioner gave no outputs; workloads that need them stop here."""

    kind = "provisioning_failed"
    provisioner: str
    error: str


@frozen(kw_only=True, eq=False, repr=False)
class DeprovisioningStarted(Event):
    """A provisioner is asked to remove what it made for a resource."""

    kind = "deprovisioning_started"
    provisioner: str


@frozen(kw_only=True, eq=False, repr=False)
class DeprovisioningFinished(Event):
    """What a provisioner made for a resource is gone."""

    kind = "deprovisioning_finished"
    provisioner: str


# --- record


@frozen(kw_only=True, eq=False, repr=False)
class StateSaved(Event):
    """The project state is safe in its store."""

    kind = "state_saved"


@frozen(kw_only=True, eq=False, repr=False)
class FileWritten(Event):
    """A file was written."""

    kind = "file_written"
    file: str
