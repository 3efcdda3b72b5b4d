"""Events of runs at Fly: images, steps, machines, requests, the way back."""

from __future__ import annotations

from score_flyio.base.record import frozen
from score_flyio.events.base import Event

# --- images


@frozen(kw_only=True)
class ImageResolved(Event):
    """Which image the machines of an app will run."""

    image: str
    """The image by its digest."""


@frozen(kw_only=True)
class BuildStarted(Event):
    """An image is about to be built."""

    builder: str
    """Its name, as `--builder` takes it."""
    size: int
    """Bytes of the build context."""


@frozen(kw_only=True)
class BuildStep(Event):
    """A step of a build began."""

    text: str
    """What the builder says of it."""
    cached: bool = False
    """Whether it need not be carried out anew."""


@frozen(kw_only=True)
class BuildOutput(Event):
    """A line that a step of a build printed."""

    text: str
    """The line."""
    cached: bool = False
    """Whether it tells that the step need not be carried out anew."""


@frozen(kw_only=True)
class BuildFinished(Event):
    """An image that an app needs is in the registry."""

    image: str
    """Its name, with tag and digest."""
    seconds: float = 0.0
    """What it took, with the push."""
    reused: bool = False
    """Whether it was there already, built of the same files."""


# --- plan and steps


@frozen(kw_only=True)
class PlanReady(Event):
    """What will be done for one app is decided; empty `steps`: nothing."""

    steps: tuple[str, ...] = ()
    """One description a step."""


@frozen(kw_only=True)
class StepStarted(Event):
    """All that a step needs is done, and the step begins."""

    description: str
    """What the step does, for people."""
    verb: str = ""
    """What kind of step it is, such as `create machine` or `wait for`."""
    after: str | None = None
    """Id of the step whose end let this one start: of all that it waited for, the last."""
    turn: float = 0.0
    """Seconds that it waited for its turn after everything that it needs was done."""
    lasts: float = 0.0
    """Seconds that it takes at most, where that is known: a machine is watched, or a pause made."""


@frozen(kw_only=True)
class StepFinished(Event):
    """A step is done; what needs it may begin."""

    description: str
    """What the step does, for people."""
    seconds: float = 0.0
    """Seconds that it took."""
    changed: bool = True
    """False when there turned out to be nothing to do."""


@frozen(kw_only=True)
class StepFailed(Event):
    """A step failed; what needs it is skipped."""

    description: str
    """What the step does, for people."""
    error: str
    """What went wrong."""
    logs: tuple[str, ...] = ()
    """What the machine said last that failed, where it can be read."""


@frozen(kw_only=True)
class StepSkipped(Event):
    """A step is not done, because of what went wrong before it."""

    description: str
    """What the step does, for people."""
    reason: str
    """Why."""


# --- machines


@frozen(kw_only=True)
class MachineStateChanged(Event):
    """A machine was seen in another state than before."""

    state: str
    """What the platform calls it."""
    region: str | None = None
    """Where the machine is."""
    since: float | None = None
    """When it changed by the platform's clock, in seconds since the epoch, if that is known."""


@frozen(kw_only=True)
class CheckChanged(Event):
    """How many of a machine's configured checks pass."""

    passing: int
    """Checks that pass."""
    total: int
    """Checks that the machine has."""
    output: str | None = None
    """What the first failing check printed."""
    since: float | None = None
    """When the last of them changed by the platform's clock, in seconds since the epoch."""


@frozen(kw_only=True)
class LeaseAwaited(Event):
    """Someone else holds a machine, and this run waits until it is free."""

    reason: str
    """What the platform says: who holds it, and until when."""


@frozen(kw_only=True)
class LeaseAcquired(Event):
    """This run holds a machine alone until `expires_at`, in seconds since the epoch."""

    expires_at: float
    """Seconds since the epoch."""


@frozen(kw_only=True)
class LeaseReleased(Event):
    """Others may change the machine again."""


# --- transport


@frozen(kw_only=True)
class RequestFinished(Event):
    """One HTTP exchange, for journals and reports."""

    method: str
    """HTTP method."""
    path: str
    """Path of the call, without secrets."""
    status: int | None
    """None when there was no answer."""
    seconds: float
    """Seconds that it took."""
    queued: float = 0.0
    """Seconds spent waiting for the rate limit before it was sent."""
    template: str = ""
    """The path with the names of its parameters, as the API document has it."""
    given_up: bool = False
    """Whether this run ended it before there was an answer, for it was not needed any more."""


@frozen(kw_only=True)
class RequestRetried(Event):
    """A request is sent again after `delay` seconds."""

    method: str
    """HTTP method."""
    path: str
    """Path of the call, without secrets."""
    reason: str
    """Why."""
    delay: float
    """Seconds until it is tried again."""


@frozen(kw_only=True)
class RateLimitHit(Event):
    """The platform answered 429."""

    method: str
    """HTTP method."""
    path: str
    """Path of the call, without secrets."""
    delay: float
    """Seconds until it is tried again."""


# --- recovery


@frozen(kw_only=True)
class RollbackStarted(Event):
    """What a failed deploy changed is about to be put back."""

    reason: str
    """Why."""


@frozen(kw_only=True)
class RollbackFinished(Event):
    """The way back is over; not `complete`: a person has to look at the app."""

    complete: bool
    """Whether all of it was undone."""
