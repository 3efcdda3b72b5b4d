"""Machines that are well, that rest, and that cannot be reached."""

from __future__ import annotations

from typing import Any

import pytest

from fly_machines import models
from score_flyio.deploy.planning.condition import check_hosts, host_answers, is_well
from score_flyio.errors import PlanError

CRASH = models.MachineEvent(type="exit", request={"exit_event": {"exit_code": 1}})
STANDBY = models.FlyMachineConfig(standbys=["other"])
CHECKED = models.FlyMachineConfig(checks={"alive": models.FlyMachineCheck()})
FAILING = [models.CheckStatus(name="alive", status="critical")]


@pytest.mark.parametrize(
    ("facts", "checks", "well"),
    [
        ({"state": "started"}, True, True),
        ({"state": "starting"}, True, False),
        ({"state": "failed"}, True, False),
        ({"state": "failed", "config": STANDBY}, True, True),
        ({"state": "failed", "incomplete_config": STANDBY}, True, True),
        ({"state": "created"}, True, True),
        ({"state": "stopped"}, True, True),
        ({"state": "suspended"}, True, True),
        ({"state": "created", "events": [CRASH]}, True, False),
        ({"state": "stopped", "events": [CRASH]}, True, False),
        ({"state": "suspended", "events": [CRASH]}, True, False),
        ({"state": "started", "config": CHECKED, "checks": FAILING}, True, False),
        ({"state": "started", "config": CHECKED, "checks": FAILING}, False, True),
    ],
)
def test_what_is_as_a_deploy_leaves_it(facts: dict[str, Any], checks: bool, well: bool) -> None:
    assert is_well(models.Machine(id="m", **facts), checks=checks) is well


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
        "app web: nothing was changed, for hosts do not answer: machine a, c"
    )
    assert raised.value.hint == (
        "deploy, which makes new machines in their place, or wait until the hosts answer"
    )
    assert raised.value.code == "host_lost"
    check_hosts("web", machines[1:2])
