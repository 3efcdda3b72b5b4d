"""Is a machine well?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines import models
from score_flyio.deploy.execution.looks import Learned, LookPolicy
from score_flyio.deploy.verdict import Health, count_checks, crash_loop, judge

CONFIG = models.FlyMachineConfig(
    checks={"a": models.FlyMachineCheck(), "b": models.FlyMachineCheck()}
)


def exit_event(*, nested: bool = False, **facts: Any) -> models.MachineEvent:
    known = {"exit_code": 1, "requested_stop": False, "restarting": True} | facts
    restarts = known.pop("restart_count", 2)
    inner = {"exit_event": known}
    request: dict[str, Any] = {"MonitorEvent": inner} if nested else inner
    return models.MachineEvent(type="exit", request={**request, "restart_count": restarts})


def seen(state: str = "started", checks: str = "", *events: models.MachineEvent) -> models.Machine:
    words = {"p": "passing", "c": "critical", "w": "warning"}
    found = [models.CheckStatus(name=f"{n}", status=words[c]) for n, c in enumerate(checks)]
    return models.Machine(
        id="m", instance_id="v2", state=state, config=CONFIG, checks=found, events=list(events)
    )


@pytest.mark.parametrize(
    ("machine", "health"),
    [
        (seen(checks="pp"), Health.WELL),
        (seen(checks="pc"), Health.PENDING),
        (seen(checks="p"), Health.PENDING),
        (seen(checks=""), Health.PENDING),
        (seen("starting"), Health.PENDING),
        (seen("replacing"), Health.PENDING),
        (seen("restarting"), Health.PENDING),
        (seen("failed"), Health.BAD),
        (seen("destroyed"), Health.BAD),
        (seen("stopped"), Health.RESTS),
        (seen("stopped", "", exit_event(restarting=False)), Health.BAD),
        (seen("stopped", "", exit_event(requested_stop=True)), Health.WELL),
        (seen("started", "pp", exit_event()), Health.BAD),
        (seen("started", "pp", exit_event(nested=True)), Health.BAD),
    ],
)
def test_health(machine: models.Machine, health: Health) -> None:
    assert judge(machine, instance_id="v2", checks=True).health is health


def test_without_checks_a_started_machine_is_well() -> None:
    assert judge(seen(), instance_id="v2", checks=False).health is Health.WELL


def test_another_version_says_nothing() -> None:
    assert judge(seen("failed"), instance_id="v3", checks=True).health is Health.PENDING


@pytest.mark.parametrize(
    ("facts", "looping"),
    [
        ({}, True),
        ({"restart_count": 1}, False),
        ({"exit_code": 0}, False),
        ({"requested_stop": True}, False),
        ({"restarting": False}, False),
        ({"oom_killed": True}, True),
    ],
)
def test_crash_loops_by_the_rule_of_flyctl(facts: dict[str, Any], looping: bool) -> None:
    assert bool(crash_loop(seen("started", "", exit_event(**facts)))) is looping


def test_a_crash_before_the_last_update_is_forgotten() -> None:
    update = models.MachineEvent(type="update")
    assert crash_loop(seen("started", "", update, exit_event())) is None


def test_checks_that_the_platform_makes_do_not_count() -> None:
    machine = seen(checks="pp")
    machine.checks = [*(machine.checks or []), models.CheckStatus(name="bg_deployments_compat_1")]
    count = count_checks(machine)
    assert (count.configured, count.reported, count.passing) == (2, 2, 2)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_looks_grow_apart_but_never_too_far(waited: float, longer: float) -> None:
    policy = LookPolicy()
    first, second = policy.step(waited), policy.step(waited + longer)
    assert policy.shortest <= first <= second <= policy.longest


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), min_size=1))
def test_what_is_learned_keeps_its_bounds_in_order(times: list[tuple[float, float]]) -> None:
    learned = Learned(0.0, float("inf"))
    for low, width in times:
        learned.learn(low, low + width + 0.01)
        assert learned.low < learned.high
        assert learned.low <= learned.first_look(LookPolicy()) <= learned.high
