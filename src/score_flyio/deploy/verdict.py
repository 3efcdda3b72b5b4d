"""Is a machine well? Judged from one reading of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from fly_machines import models
from score_flyio.base.record import frozen

ARTIFICIAL_CHECKS = "bg_deployments_compat"
"""Checks of such names are made by the platform and say nothing about the app (fly-go)."""


class Health(Enum):
    """What one reading of a machine tells; `pending` may still become either of the others."""

    PENDING = "pending"
    WELL = "well"
    BAD = "bad"
    RESTS = "rests"
    """Its version is in place, but nobody started it."""
    REVERTED = "reverted"
    """The version before it is in place again; a reading that lags may tell of an earlier run."""


@frozen
class Verdict:
    """The health of a machine, and why."""

    health: Health
    reason: str = ""
    """What a person should know: why it is bad, or what is still missing."""


@frozen(kw_only=True)
class CheckCount:
    """How many of the configured checks are reported and pass."""

    configured: int
    reported: int
    passing: int
    output: str | None = None
    """What the first failing check printed."""

    @property
    def complete(self) -> bool:
        return self.reported >= max(1, self.configured) and self.passing == self.reported


def count_checks(machine: models.Machine) -> CheckCount:
    """Counts what is configured too: a machine just started has an empty list of results."""
    configured = len(check_names(machine.config or models.FlyMachineConfig()))
    results = [c for c in machine.checks or [] if not (c.name or "").startswith(ARTIFICIAL_CHECKS)]
    failing = [check for check in results if check.status != "passing"]
    return CheckCount(
        configured=configured,
        reported=len(results),
        passing=len(results) - len(failing),
        output=failing[0].output if failing else None,
    )


def check_names(config: models.FlyMachineConfig) -> frozenset[str]:
    """The names under which the platform reports the checks of a config.

    Those of services are numbered within their service: two services on one port can have checks
    of one name, of which one alone is reported.
    """
    of_services = {
        f"servicecheck-{number:02d}-{check.type or 'tcp'}-{check.port or service.internal_port}"
        for service in config.services or []
        for number, check in enumerate(service.checks or [])
    }
    return frozenset(of_services | (config.checks or {}).keys())


def state_since(machine: models.Machine) -> float | None:
    """When the machine came to its present state, in seconds since the epoch, if it says so."""
    stamps = [e.timestamp for e in machine.events or [] if e.status == machine.state]
    return max((stamp / 1000 for stamp in stamps if stamp), default=None)


def checks_since(machine: models.Machine) -> float | None:
    """When the last of its checks changed, in seconds since the epoch, if it says so."""
    found: list[float] = []
    for check in machine.checks or []:
        try:
            found.append(datetime.fromisoformat(check.updated_at or "").timestamp())
        except ValueError:
            continue
    return max(found, default=None)


def judge(machine: models.Machine, *, instance_id: str | None, checks: bool) -> Verdict:
    """Judges a machine that was given version `instance_id` (None: whatever it runs)."""
    if instance_id and machine.instance_id and machine.instance_id != instance_id:
        return _judge_other_version(machine)
    match machine.state:
        case "destroyed" | "destroying":
            return Verdict(Health.BAD, "it was destroyed")
        case "failed" | "launch_failed":
            return Verdict(Health.BAD, f"it is in state {machine.state}{_last_exit(machine)}")
        case "started":
            return _judge_started(machine, checks=checks)
        case "stopped" | "suspended":
            return _judge_stopped(machine)
        case _:
            return Verdict(Health.PENDING, f"it is in state {machine.state}{_last_exit(machine)}")


def _judge_other_version(machine: models.Machine) -> Verdict:
    """The platform may give an update up: its image cannot be pulled, or the host has no room."""
    for event in machine.events or []:
        if event.type == "revert":
            return Verdict(
                Health.REVERTED, "Fly gave its update up and went back to the one before"
            )
        if event.type in {"launch", "update"}:
            break
    return Verdict(Health.PENDING, "its new version is not there yet")


def _judge_started(machine: models.Machine, *, checks: bool) -> Verdict:
    looping = crash_loop(machine)
    if looping:
        return Verdict(Health.BAD, looping)
    if not checks:
        return Verdict(Health.WELL)
    count = count_checks(machine)
    if count.configured == 0 or count.complete:
        return Verdict(Health.WELL)
    missing = f"{count.passing} of {count.configured} checks pass"
    said = f": {count.output.strip()}" if count.output else ""
    return Verdict(Health.PENDING, missing + said)


def _judge_stopped(machine: models.Machine) -> Verdict:
    exit_event = newest_exit(machine)
    if exit_event is None:
        return Verdict(Health.RESTS, f"it is in state {machine.state}")
    if exit_event.get("requested_stop"):
        return Verdict(Health.WELL, "it was stopped on request")
    return Verdict(Health.BAD, f"it stopped{_last_exit(machine)}")


def newest_exit(machine: models.Machine) -> dict[str, Any] | None:
    """The exit event since the last start or update of the machine, if there is one.

    Its data sits under `request.exit_event`, or `request.MonitorEvent.exit_event` (fly-go).
    """
    for event in machine.events or []:
        if event.type == "exit":
            return exit_data(event)
        if event.type in {"launch", "update"}:
            return None
    return None


def exit_data(event: models.MachineEvent) -> dict[str, Any]:
    """How the main process ended, as an exit event tells it."""
    request = event.request or {}
    inner = request.get("MonitorEvent") or {}
    data = dict(request.get("exit_event") or inner.get("exit_event") or {})
    data.setdefault("restart_count", request.get("restart_count", 0))
    return data


def exit_code(data: dict[str, Any]) -> int:
    """The code that the main process ended with."""
    return int(data.get("exit_code") or data.get("guest_exit_code") or 0)


def told_exit(data: dict[str, Any]) -> str:
    """The same for people, and whether the platform ended it for want of memory."""
    killed = ", out of memory" if data.get("oom_killed") else ""
    return f"exit code {exit_code(data)}{killed}"


def crash_loop(machine: models.Machine) -> str | None:
    """Why the machine counts as crash-looping, by flyctl's rule; None when it does not."""
    data = newest_exit(machine)
    if data is None or data.get("requested_stop") or not data.get("restarting"):
        return None
    if exit_code(data) == 0 or int(data.get("restart_count") or 0) <= 1:
        return None
    return f"it crashes again and again with {told_exit(data)}"


def _last_exit(machine: models.Machine) -> str:
    data = newest_exit(machine)
    return "" if data is None else f" after {told_exit(data)}"
