"""How a machine is, beside what it should be: decided here for all plans. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from fly_machines import models
from score_flyio.deploy.metadata import Marks
from score_flyio.deploy.verdict import Health, exit_code, exit_data, judge
from score_flyio.errors import PlanError
from score_flyio.fly.present import is_standby, shown_config

RESTING = frozenset({"created", "stopped", "stopping", "suspended", "suspending"})
"""States in which no process of a machine runs, or soon none does. In all others it runs, or
should: flyctl launches only what is started, starting or failed, which leaves a machine stopped
whose update was interrupted."""
_RUNNING_STANDBY = frozenset({"started", "starting", "restarting", "failed"})


class Condition(Enum):
    """How a machine is; an update starts again whatever does not rest."""

    RUNS = "runs"
    """It is well; nobody waits for a standby that was started."""
    RESTS = "rests"
    """It does not run, and is not meant to: a standby, or one that was stopped or suspended."""
    FELL = "fell"
    """It should run, and nothing starts it: it failed, crashed until it was given up, or was given
    a version that nobody started, since the run that was to do so came to its end before."""
    UNSETTLED = "unsettled"
    """It is on its way to one of the others, or crashes again and again."""


def condition(machine: models.Machine, *, checks: bool) -> Condition:
    """How the machine is; with `checks`, it runs only if all of them pass."""
    config = shown_config(machine)
    if is_standby(machine):
        return Condition.RUNS if machine.state in _RUNNING_STANDBY else Condition.RESTS
    if machine.state in RESTING:
        return Condition.FELL if _should_run(machine, config) else Condition.RESTS
    if machine.state == "failed":
        return Condition.FELL
    well = judge(machine, instance_id=None, checks=checks).health is Health.WELL
    return Condition.RUNS if well else Condition.UNSETTLED


def rests(machine: models.Machine) -> bool:
    """Whether the machine is meant to stay at rest, also with another config."""
    return condition(machine, checks=False) is Condition.RESTS


def is_well(machine: models.Machine, *, checks: bool) -> bool:
    """Whether a machine is as a deploy leaves it."""
    return condition(machine, checks=checks) in {Condition.RUNS, Condition.RESTS}


def _should_run(machine: models.Machine, config: models.FlyMachineConfig) -> bool:
    """Whether a machine at rest came there by its own failure, or was to be started and never was.

    An update alone starts no machine that did not run, so that what was before it counts. What was
    stopped or suspended rests on purpose, whoever updated it later.
    """
    to_start, updated = Marks.of(machine).to_start is not None, False
    for event in machine.events or []:
        match event.type:
            case "stop" | "suspend":
                return False
            case "start":
                return to_start and updated
            case "update" | "launch":
                updated = True
            case "exit":
                data = exit_data(event)
                asked = bool(data.get("requested_stop"))
                if not (to_start and (updated or asked)):
                    gives_up = config.restart is not None and config.restart.policy == "no"
                    return not (asked or gives_up) and exit_code(data) != 0
                if not asked:
                    return True
    return to_start and updated


def host_answers(machine: models.Machine) -> bool:
    """Whether the machine can be changed where it is; of one that cannot, Fly shows no config."""
    return (machine.host_status or "ok") == "ok"


def check_hosts(app: str, machines: Iterable[models.Machine]) -> None:
    """Raises PlanError for machines that an operation cannot change, before it changes others."""
    lost = sorted(machine.id or "" for machine in machines if not host_answers(machine))
    if lost:
        raise PlanError(
            f"app {app}: nothing was changed, because hosts do not answer: "
            f"machine {', '.join(lost)}",
            hint="deploy, which makes new machines in their place, or wait until the hosts answer",
            code="host_lost",
        )
