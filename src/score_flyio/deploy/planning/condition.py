"""How machines are: well, at rest, or on a host that does not answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.deploy.verdict import Health, fell, judge
from score_flyio.errors import PlanError

AT_REST = frozenset({"created", "stopped", "suspended"})


def is_well(machine: models.Machine, *, checks: bool) -> bool:
    """Whether a machine is as a deploy leaves it: healthy, or at rest because it is meant to be."""
    config = machine.config or machine.incomplete_config or models.FlyMachineConfig()
    if config.standbys:
        return True
    if machine.state in AT_REST:
        return not fell(machine)
    return judge(machine, instance_id=None, checks=checks).health is Health.WELL


def host_answers(machine: models.Machine) -> bool:
    """Whether the machine can be changed where it is; of one that cannot, Fly shows no config."""
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
