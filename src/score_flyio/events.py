"""What happens during a run, as typed events.

Each event has a stable `kind`, given by its class, for the JSON form. `scope` says what the event
is about. Events never carry secret values. A listener is called synchronously and in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import attrs
from attrs import field, frozen


@frozen(kw_only=True)
class Scope:
    """What an event is about: the parts that apply."""

    workload: str | None = None
    app: str | None = None
    resource: str | None = None
    group: str | None = None
    machine: str | None = None
    """Machine id."""
    step: str | None = None
    """Id of a step of the plan."""


@frozen(kw_only=True)
class Event:
    """Base of all events; `seq` is gapless within a run, `at` is in seconds since the epoch."""

    kind: ClassVar[str] = "event"
    seq: int = 0
    at: float = 0.0
    scope: Scope = field(factory=Scope)


Listener: TypeAlias = Callable[[Event], None]


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON document: `kind`, `seq`, `at`, the scope's parts, then its own fields."""
    scope = {k: v for k, v in attrs.asdict(event.scope).items() if v is not None}
    fields = attrs.asdict(event, filter=lambda a, _: a.name not in {"seq", "at", "scope"})
    own = {k: v for k, v in fields.items() if v is not None}
    return {"kind": event.kind, "seq": event.seq, "at": event.at, **scope, **own}


# --- run


@frozen(kw_only=True)
class RunStarted(Event):
    """The first event of a run: which command, for which workloads or apps."""

    kind = "run_started"
    command: str
    workloads: tuple[str, ...] = ()


@frozen(kw_only=True)
class TargetSelected(Event):
    """Where the run goes: the first thing a person must know."""

    kind = "target_selected"
    target: str
    emulated: bool = False


@frozen(kw_only=True)
class RunFinished(Event):
    """The last event of a run, whatever came of it."""

    kind = "run_finished"
    outcome: str
    """`done`, `unchanged`, `failed`, `unhealthy` or `interrupted`."""
    seconds: float = 0.0


@frozen(kw_only=True)
class WorkloadLoaded(Event):
    """A Score file was read and is valid."""

    kind = "workload_loaded"
    file: str


@frozen(kw_only=True)
class WorkloadFinished(Event):
    """One workload is through, whether or not the others are."""

    kind = "workload_finished"
    outcome: str
    error: str | None = None
    seconds: float = 0.0


@frozen(kw_only=True)
class WarningRaised(Event):
    """Something a person should know that stops nothing."""

    kind = "warning"
    message: str
    code: str = "warning"


# --- resources


@frozen(kw_only=True)
class ProvisioningStarted(Event):
    """A provisioner is asked for a resource."""

    kind = "provisioning_started"
    provisioner: str


@frozen(kw_only=True)
class ProvisioningFinished(Event):
    """A provisioner gave the outputs of a resource."""

    kind = "provisioning_finished"
    provisioner: str
    outputs: tuple[str, ...] = ()
    """Names of the outputs, secrets included; never their values."""
    seconds: float = 0.0


@frozen(kw_only=True)
class ProvisioningFailed(Event):
    """A provisioner gave no outputs; workloads that need them stop here."""

    kind = "provisioning_failed"
    provisioner: str
    error: str


@frozen(kw_only=True)
class DeprovisioningStarted(Event):
    """A provisioner is asked to remove what it made for a resource."""

    kind = "deprovisioning_started"
    provisioner: str


@frozen(kw_only=True)
class DeprovisioningFinished(Event):
    """What a provisioner made for a resource is gone."""

    kind = "deprovisioning_finished"
    provisioner: str


# --- images


@frozen(kw_only=True)
class ImageResolved(Event):
    """Which image the machines of an app will run."""

    kind = "image_resolved"
    image: str


# --- plan and steps


@frozen(kw_only=True)
class PlanReady(Event):
    """What will be done for one app is decided; empty `steps`: nothing."""

    kind = "plan_ready"
    steps: tuple[str, ...] = ()
    """One description a step."""


@frozen(kw_only=True)
class StepStarted(Event):
    """All that a step needs is done, and the step begins."""

    kind = "step_started"
    description: str
    verb: str = ""
    """What kind of step it is, such as `create machine` or `wait for`."""
    after: str | None = None
    """Id of the step whose end let this one start: of all that it waited for, the last."""
    turn: float = 0.0
    """Seconds that it waited for its turn after everything that it needs was done."""


@frozen(kw_only=True)
class StepFinished(Event):
    """A step is done; what needs it may begin."""

    kind = "step_finished"
    description: str
    seconds: float = 0.0
    changed: bool = True
    """False when there turned out to be nothing to do."""


@frozen(kw_only=True)
class StepFailed(Event):
    """A step failed; what needs it is skipped."""

    kind = "step_failed"
    description: str
    error: str


@frozen(kw_only=True)
class StepSkipped(Event):
    """A step is not done, because of what went wrong before it."""

    kind = "step_skipped"
    description: str
    reason: str


# --- machines


@frozen(kw_only=True)
class MachineStateChanged(Event):
    """A machine was seen in another state than before."""

    kind = "machine_state_changed"
    state: str
    region: str | None = None
    since: float | None = None
    """When it changed by the platform's clock, in seconds since the epoch, if that is known."""


@frozen(kw_only=True)
class CheckChanged(Event):
    """How many of a machine's configured checks pass."""

    kind = "check_changed"
    passing: int
    total: int
    output: str | None = None
    since: float | None = None
    """When the last of them changed by the platform's clock, in seconds since the epoch."""


@frozen(kw_only=True)
class LeaseAcquired(Event):
    """This run holds a machine alone until `expires_at`, in seconds since the epoch."""

    kind = "lease_acquired"
    expires_at: float


@frozen(kw_only=True)
class LeaseReleased(Event):
    """Others may change the machine again."""

    kind = "lease_released"


# --- transport


@frozen(kw_only=True)
class RequestFinished(Event):
    """One HTTP exchange, for journals and reports."""

    kind = "request_finished"
    method: str
    path: str
    status: int | None
    """None when there was no answer."""
    seconds: float
    queued: float = 0.0
    """Seconds spent waiting for the rate limit before it was sent."""
    template: str = ""
    """The path with the names of its parameters, as the API document has it."""


@frozen(kw_only=True)
class RequestRetried(Event):
    """A request is sent again after `delay` seconds."""

    kind = "request_retried"
    method: str
    path: str
    reason: str
    delay: float


@frozen(kw_only=True)
class RateLimitHit(Event):
    """The platform answered 429."""

    kind = "rate_limit_hit"
    method: str
    path: str
    delay: float


# --- recovery and record


@frozen(kw_only=True)
class RollbackStarted(Event):
    """What a failed deploy changed is about to be put back."""

    kind = "rollback_started"
    reason: str


@frozen(kw_only=True)
class RollbackFinished(Event):
    """The way back is over; not `complete`: a person has to look at the app."""

    kind = "rollback_finished"
    complete: bool


@frozen(kw_only=True)
class StateSaved(Event):
    """The project state is safe in its store."""

    kind = "state_saved"


@frozen(kw_only=True)
class FileWritten(Event):
    """A file was written."""

    kind = "file_written"
    file: str


class EventLog:
    """Numbers and stamps events and hands them to listeners."""

    def __init__(self, now: Callable[[], float], *listeners: Listener) -> None:
        self._now = now
        self._listeners = list(listeners)
        self._seq = 0

    def listen(self, listener: Listener) -> None:
        """One more listener, called after those there are; a new run begins: `seq` starts anew."""
        self._listeners.append(listener)
        self._seq = 0

    def unlisten(self, listener: Listener) -> None:
        """The listener is called no more."""
        self._listeners.remove(listener)

    def emit(self, event: Event) -> None:
        self._seq += 1
        stamped = attrs.evolve(event, seq=self._seq, at=self._now())
        for listener in self._listeners:
            listener(stamped)
