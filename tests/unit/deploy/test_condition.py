"""Machines that are well, that rest, and that cannot be reached."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.condition import (
    Condition,
    check_hosts,
    condition,
    host_answers,
    is_well,
    rests,
)
from score_flyio.deploy.metadata import Marks
from score_flyio.errors import PlanError

STANDBY = models.FlyMachineConfig(standbys=["other"])
CHECKED = models.FlyMachineConfig(checks={"alive": models.FlyMachineCheck()})
FAILING = [models.CheckStatus(name="alive", status="critical")]


def event(kind: str, **exit_event: Any) -> models.MachineEvent:
    return models.MachineEvent(type=kind, request={"exit_event": exit_event} if exit_event else {})


STOP, SUSPEND, START = event("stop"), event("suspend"), event("start")
UPDATE, LAUNCH = event("update"), event("launch")
CRASH = event("exit", exit_code=1, requested_stop=False)
DONE = event("exit", exit_code=0, requested_stop=False)
ASKED = event("exit", exit_code=1, requested_stop=True)
NEXT_VERSION = (LAUNCH, ASKED, UPDATE)
"""What an update of a machine that runs leaves behind, newest first."""


@pytest.mark.parametrize(
    ("facts", "checks", "how"),
    [
        ({"state": "started"}, True, Condition.RUNS),
        ({"state": "starting"}, True, Condition.UNSETTLED),
        ({"state": "replacing"}, True, Condition.UNSETTLED),
        ({"state": "failed"}, True, Condition.FELL),
        ({"state": "failed", "config": STANDBY}, True, Condition.RUNS),
        ({"state": "failed", "incomplete_config": STANDBY}, True, Condition.RUNS),
        ({"state": "replacing", "config": STANDBY}, True, Condition.RESTS),
        ({"state": "started", "config": STANDBY}, True, Condition.RUNS),
        ({"state": "starting", "config": STANDBY}, True, Condition.RUNS),
        ({"state": "restarting", "config": STANDBY}, True, Condition.RUNS),
        ({"state": "created"}, True, Condition.RESTS),
        ({"state": "stopped"}, True, Condition.RESTS),
        ({"state": "stopping"}, True, Condition.RESTS),
        ({"state": "suspended"}, True, Condition.RESTS),
        ({"state": "suspending"}, True, Condition.RESTS),
        ({"state": "created", "events": [CRASH]}, True, Condition.FELL),
        ({"state": "stopped", "events": [CRASH]}, True, Condition.FELL),
        ({"state": "suspended", "events": [CRASH]}, True, Condition.FELL),
        ({"state": "started", "config": CHECKED, "checks": FAILING}, True, Condition.UNSETTLED),
        ({"state": "started", "config": CHECKED, "checks": FAILING}, False, Condition.RUNS),
    ],
)
def test_how_a_machine_is(facts: dict[str, Any], checks: bool, how: Condition) -> None:
    machine = models.Machine(id="m", **facts)
    assert condition(machine, checks=checks) is how
    assert is_well(machine, checks=checks) is (how in {Condition.RUNS, Condition.RESTS})
    assert rests(machine) is (how is Condition.RESTS)


@pytest.mark.parametrize(
    ("events", "policy", "fell"),
    [
        ([], None, False),
        ([CRASH], None, True),
        ([CRASH], "on-failure", True),
        ([CRASH], "no", False),
        ([DONE], None, False),
        ([ASKED], None, False),
        ([STOP, CRASH], None, False),
        ([SUSPEND, CRASH], None, False),
        ([UPDATE, CRASH], None, True),
        ([*NEXT_VERSION, START], None, False),
        ([DONE, CRASH], None, False),
        ([START], None, False),
    ],
)
def test_what_came_to_rest_by_its_own_failure(
    events: list[models.MachineEvent], policy: Any, fell: bool
) -> None:
    restart = models.FlyMachineRestart(policy=policy) if policy else None
    config = evolve(CHECKED, restart=restart)
    machine = models.Machine(id="m", state="stopped", config=config, events=events)
    assert rests(machine) is not fell
    assert rests(evolve(machine, config=None, incomplete_config=config)) is not fell
    assert rests(evolve(machine, config=None)) is not (fell or policy == "no")


@pytest.mark.parametrize(
    ("events", "fell"),
    [
        ([], False),
        ([LAUNCH], True),
        ([*NEXT_VERSION, START, LAUNCH], True),
        ([ASKED, UPDATE, START, LAUNCH], True),
        ([LAUNCH, UPDATE, CRASH, START], True),
        ([LAUNCH, UPDATE, DONE, START], True),
        ([DONE, START, *NEXT_VERSION], False),
        ([CRASH, START, *NEXT_VERSION], True),
        ([ASKED, STOP, START, *NEXT_VERSION], False),
        ([ASKED, START, *NEXT_VERSION], False),
        ([STOP, *NEXT_VERSION], False),
        ([LAUNCH, UPDATE, ASKED, STOP, START], False),
        ([START, *NEXT_VERSION], False),
    ],
)
@pytest.mark.parametrize("policy", [None, "no"])
def test_what_was_to_be_started_and_never_was(
    events: list[models.MachineEvent], fell: bool, policy: Any
) -> None:
    """A person's stop is told from that of an update, whose run ended before it started it."""
    restart = models.FlyMachineRestart(policy=policy)
    config = Marks(to_start="true").stamp(models.FlyMachineConfig(restart=restart))
    machine = models.Machine(id="m", state="stopped", config=config, events=events)
    crashed = policy == "no" and events[:1] == [CRASH]
    assert rests(machine) is not (fell and not crashed)


@pytest.mark.parametrize(
    ("status", "answers"),
    [("ok", True), (None, True), ("", True), ("unreachable", False), ("unknown", False)],
)
def test_hosts_that_answer(status: Any, answers: bool) -> None:
    assert host_answers(models.Machine(host_status=status)) is answers


def test_lost_hosts_are_told_before_anything_changes() -> None:
    machines = [
        models.Machine(id="c", host_status="unknown"),
        models.Machine(id="b", host_status="ok"),
        models.Machine(id="a", host_status="unreachable"),
    ]
    with pytest.raises(PlanError) as raised:
        check_hosts("web", machines)
    assert str(raised.value) == (
        "app web: nothing was changed, because hosts do not answer: machine a, c"
    )
    assert raised.value.hint == (
        "deploy, which makes new machines in their place, or wait until the hosts answer"
    )
    assert raised.value.code == "host_lost"
    check_hosts("web", machines[1:2])
