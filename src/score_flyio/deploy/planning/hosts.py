"""Machines whose host does not answer: Fly shows no config of them, and changes none. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.errors import PlanError


def host_answers(machine: models.Machine) -> bool:
    """Whether the machine can be changed where it is."""
    return (machine.host_status or "ok") == "ok"


def check_hosts(app: str, machines: Iterable[models.Machine]) -> None:
    """Raises PlanError for machines that an operation cannot change, before it changes others."""
    lost = sorted(machine.id or "" for machine in machines if not host_answers(machine))
    if lost:
        raise PlanError(
            f"app {app}: nothing was changed, for hosts do not answer: machine {', '.join(lost)}",
            hint="deploy, which makes new machines in their place, or wait until the hosts answer",
            code="host_lost",
        )
