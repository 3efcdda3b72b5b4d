"""Events → words for people. Shared by all renderers for terminals."""

from functools import singledispatch

from score_flyio import events

_FLY = "https://api.machines.dev"


def subject(scope: events.Scope) -> str:
    """What an event is about: `web`, `web/148e21`, `web/postgres.default#web.db` …; or nothing."""
    owner = scope.workload or scope.app
    part = scope.resource or scope.machine or scope.group
    return "/".join(name for name in (owner, part) if name)


def duration(seconds: float) -> str:
    """Seconds as people say them: `0.4s`, `12s`, `3m05s`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def is_alarm(event: events.Event) -> bool:
    """Whether the event says that something is wrong."""
    return isinstance(event, _ALARMS)


_ALARMS = (
    events.WarningRaised,
    events.ProvisioningFailed,
    events.StepFailed,
    events.RollbackStarted,
    events.RateLimitHit,
)


@singledispatch
def sentence(event: events.Event) -> str | None:
    """What happened, for every log; None for what interests only who looks for a fault."""
    del event
    return None


@singledispatch
def detail(event: events.Event) -> str | None:
    """What happened, for logs with `--debug`, where `sentence` has nothing to say."""
    del event
    return None


@sentence.register
def _(event: events.TargetSelected) -> str:
    if event.emulated:
        return f"target: an emulator, not Fly.io ({event.target})"
    return f"target: {'Fly.io, ' if event.target == _FLY else ''}{event.target}"


@sentence.register
def _(event: events.RunFinished) -> str:
    return f"{event.outcome} in {duration(event.seconds)}"


@sentence.register
def _(event: events.WorkloadLoaded) -> str:
    return f"read {event.file}"


@sentence.register
def _(event: events.WorkloadFinished) -> str:
    reason = f": {event.error}" if event.error else ""
    return f"{event.outcome} in {duration(event.seconds)}{reason}"


@sentence.register
def _(event: events.WarningRaised) -> str:
    return event.message


@sentence.register
def _(event: events.ProvisioningStarted) -> str:
    return f"provisioning with {event.provisioner}"


@sentence.register
def _(event: events.ProvisioningFinished) -> str:
    outputs = ", ".join(event.outputs) or "no outputs"
    return f"provisioned in {duration(event.seconds)}: {outputs}"


@sentence.register
def _(event: events.ProvisioningFailed) -> str:
    by = f" with {event.provisioner}" if event.provisioner else ""
    return f"provisioning{by} failed: {event.error}"


@sentence.register
def _(event: events.DeprovisioningStarted) -> str:
    return f"deprovisioning with {event.provisioner}"


@sentence.register
def _(event: events.DeprovisioningFinished) -> str:
    del event
    return "deprovisioned"


@sentence.register
def _(event: events.ImageResolved) -> str:
    return f"image {event.image}"


@sentence.register
def _(event: events.PlanReady) -> str:
    count = len(event.steps)
    return f"{count} step{'' if count == 1 else 's'} to do" if count else "nothing to do"


@sentence.register
def _(event: events.StepFinished) -> str:
    return f"{event.description}: done in {duration(event.seconds)}"


@sentence.register
def _(event: events.StepFailed) -> str:
    return f"{event.description}: failed: {event.error}"


@sentence.register
def _(event: events.StepSkipped) -> str:
    return f"{event.description}: skipped, {event.reason}"


@sentence.register
def _(event: events.MachineStateChanged) -> str:
    return f"{event.state} in {event.region}" if event.region else event.state


@sentence.register
def _(event: events.CheckChanged) -> str:
    output = f": {event.output}" if event.output and event.passing < event.total else ""
    return f"{event.passing}/{event.total} checks passing{output}"


@sentence.register
def _(event: events.RateLimitHit) -> str:
    return f"rate limited: {event.method} {event.path}, again in {duration(event.delay)}"


@sentence.register
def _(event: events.RollbackStarted) -> str:
    return f"going back: {event.reason}"


@sentence.register
def _(event: events.RollbackFinished) -> str:
    return "back to what ran before" if event.complete else "could not go back completely"


@sentence.register
def _(event: events.FileWritten) -> str:
    return f"wrote {event.file}"


@detail.register
def _(event: events.RunStarted) -> str:
    return f"{event.command} {' '.join(event.workloads)}".rstrip()


@detail.register
def _(event: events.StepStarted) -> str:
    return f"{event.description}: started"


@detail.register
def _(event: events.LeaseAcquired) -> str:
    del event
    return "lease acquired"


@detail.register
def _(event: events.LeaseReleased) -> str:
    del event
    return "lease released"


@detail.register
def _(event: events.RequestFinished) -> str:
    status = event.status if event.status is not None else "no answer"
    return f"{event.method} {event.path}: {status} in {duration(event.seconds)}"


@detail.register
def _(event: events.RequestRetried) -> str:
    delay = duration(event.delay)
    return f"{event.method} {event.path}: {event.reason}, again in {delay}"


@detail.register
def _(event: events.StateSaved) -> str:
    del event
    return "state saved"
