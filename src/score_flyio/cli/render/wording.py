"""Events → words for people. Shared by all renderers for terminals.

Why something failed, and how the run ended, is told once: by the report after it.

The tables go by `kind`, so that the classes of events that do not happen need not be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from score_flyio.base.counted import counted

if TYPE_CHECKING:
    from score_flyio import events

Words: TypeAlias = str | Callable[[Any], str]
"""A template, in which `seconds` and `delay` are those of the event as people say them; or what
makes the words of the event, where they are more than that."""
_FLY: Final = "https://api.machines.dev"
_UNITS: Final = (
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
)
_ALARMS: Final = frozenset({"warning", "rollback_started", "rate_limit_hit", "request_retried"})
"""Beside what failed."""


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


def ago(seconds: float) -> str:
    """How long something is past, in one unit: `just now`, `5 minutes ago`, `3 days ago`."""
    for unit, size in _UNITS:
        if (count := int(seconds // size)) >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def ago_of(stamp: str | None, now: float) -> str:
    """The same of a time in RFC 3339; another text stays, and nothing is `-`."""
    try:
        return ago(now - datetime.fromisoformat(stamp or "").timestamp())
    except ValueError:
        return stamp or "-"


def is_alarm(event: events.Event) -> bool:
    """Whether the event says that something is wrong."""
    return event.kind in _ALARMS or event.kind.endswith("_failed")


def sentence(event: events.Event) -> str | None:
    """What happened, for every log; None for what interests only who looks for a fault."""
    return _told(SENTENCES.get(event.kind), event)


def detail(event: events.Event) -> str | None:
    """What happened, for logs with `--debug`, where `sentence` has nothing to say."""
    return _told(DETAILS.get(event.kind), event)


def _told(words: Words | None, event: events.Event) -> str | None:
    if words is None or callable(words):
        return words(event) if words else None
    times = {name: duration(getattr(event, name, 0.0)) for name in ("seconds", "delay")}
    return words.format(event=event, **times)


def _target_selected(event: events.TargetSelected) -> str:
    if event.emulated:
        return f"target: an emulator, not Fly.io ({event.target})"
    return f"target: {'Fly.io, ' if event.target == _FLY else ''}{event.target}"


def _workload_finished(event: events.WorkloadFinished) -> str:
    account = f": {event.error}" if event.error and event.outcome == "interrupted" else ""
    return f"{event.outcome} in {duration(event.seconds)}{account}"


def _provisioning_finished(event: events.ProvisioningFinished) -> str:
    outputs = ", ".join(event.outputs) or "no outputs"
    return f"provisioned in {duration(event.seconds)}: {outputs}"


def _provisioning_failed(event: events.ProvisioningFailed) -> str:
    by = f" with {event.provisioner}" if event.provisioner else ""
    return f"provisioning{by} failed"


def _build_started(event: events.BuildStarted) -> str:
    return f"building the image with {event.builder}, of {event.size / 1e6:.1f} MB"


def _build_line(event: events.BuildStep | events.BuildOutput) -> str:
    return f"{event.text} (cached)" if event.cached else event.text


def _build_finished(event: events.BuildFinished) -> str:
    how = "is there already" if event.reused else f"built and pushed in {duration(event.seconds)}"
    return f"image {event.image} {how}"


def _plan_ready(event: events.PlanReady) -> str:
    count = len(event.steps)
    return f"{counted(count, 'step')} to do" if count else "nothing to do"


def _machine_state_changed(event: events.MachineStateChanged) -> str:
    return f"{event.state} in {event.region}" if event.region else event.state


def _check_changed(event: events.CheckChanged) -> str:
    output = f": {event.output}" if event.output and event.passing < event.total else ""
    return f"{event.passing}/{event.total} checks passing{output}"


def _rollback_finished(event: events.RollbackFinished) -> str:
    return "rolled back to what ran before" if event.complete else "could not roll back completely"


def _run_started(event: events.RunStarted) -> str:
    return f"{event.command} {' '.join(event.workloads)}".rstrip()


def _request_finished(event: events.RequestFinished) -> str:
    none = "given up" if event.given_up else "no answer"
    status = event.status if event.status is not None else none
    return f"{event.method} {event.path}: {status} in {duration(event.seconds)}"


SENTENCES: Final[Mapping[str, Words]] = {
    "target_selected": _target_selected,
    "workload_loaded": "read {event.file}",
    "workload_finished": _workload_finished,
    "warning": "{event.message}",
    "provisioning_started": "provisioning with {event.provisioner}",
    "provisioning_finished": _provisioning_finished,
    "provisioning_failed": _provisioning_failed,
    "deprovisioning_started": "deprovisioning with {event.provisioner}",
    "deprovisioning_finished": "deprovisioned",
    "deprovisioning_failed": "deprovisioning with {event.provisioner} failed",
    "image_resolved": "image {event.image}",
    "build_started": _build_started,
    "build_step": _build_line,
    "build_finished": _build_finished,
    "plan_ready": _plan_ready,
    "step_finished": "{event.description}: done in {seconds}",
    "step_failed": "{event.description}: failed",
    "step_skipped": "{event.description}: skipped, {event.reason}",
    "machine_state_changed": _machine_state_changed,
    "check_changed": _check_changed,
    "lease_awaited": "waiting for its lease: {event.reason}",
    "rate_limit_hit": "rate limited: {event.method} {event.path}, again in {delay}",
    "request_retried": "{event.method} {event.path}: {event.reason}, again in {delay}",
    "rollback_started": "rolling back: {event.reason}",
    "rollback_finished": _rollback_finished,
    "file_written": "wrote {event.file}",
}
DETAILS: Final[Mapping[str, Words]] = {
    "run_started": _run_started,
    "run_finished": "{event.outcome} in {seconds}",
    "build_output": _build_line,
    "step_started": "{event.description}: started",
    "lease_acquired": "lease acquired",
    "lease_released": "lease released",
    "request_finished": _request_finished,
    "state_saved": "state saved",
}
