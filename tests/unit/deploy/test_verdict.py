"""Is a machine well?"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from fly_machines import models
from score_flyio.deploy.execution.health import Learned, LookPolicy
from score_flyio.deploy.verdict import (
    CheckCount,
    Health,
    Verdict,
    check_names,
    checks_since,
    count_checks,
    crash_loop,
    exit_code,
    judge,
    newest_exit,
    state_since,
)

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


def event(kind: str) -> models.MachineEvent:
    return models.MachineEvent(type=kind)


@pytest.mark.parametrize(
    ("kinds", "health"),
    [
        (["revert", "update"], Health.REVERTED),
        (["start", "revert", "update"], Health.REVERTED),
        (["update", "revert"], Health.PENDING),
        (["launch", "revert"], Health.PENDING),
        (["start", "launch", "update", "revert"], Health.PENDING),
    ],
)
def test_an_update_that_was_given_up_is_not_waited_for(kinds: list[str], health: Health) -> None:
    machine = seen("started", "pp", *map(event, kinds))
    verdict = judge(machine, instance_id="v3", checks=True)
    assert verdict.health is health
    if health is Health.REVERTED:
        assert verdict.reason == "Fly gave its update up and went back to the one before"
    assert judge(machine, instance_id="v2", checks=True).health is Health.WELL


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


CRASHED = exit_event(exit_code=3, restarting=False)
KILLED = exit_event(exit_code=137, restarting=False, oom_killed=True)


@pytest.mark.parametrize(
    ("machine", "health", "reason"),
    [
        (seen(checks="pp"), "well", ""),
        (seen(checks="pc"), "pending", "1 of 2 checks pass"),
        (seen(checks=""), "pending", "0 of 2 checks pass"),
        (seen("destroying"), "bad", "it was destroyed"),
        (seen("destroyed"), "bad", "it was destroyed"),
        (seen("failed"), "bad", "it is in state failed"),
        (seen("failed", "", CRASHED), "bad", "it is in state failed after exit code 3"),
        (seen("launch_failed"), "bad", "it is in state launch_failed"),
        (seen("starting"), "pending", "it is in state starting"),
        (seen("starting", "", CRASHED), "pending", "it is in state starting after exit code 3"),
        (seen("stopped"), "rests", "it is in state stopped"),
        (seen("suspended"), "rests", "it is in state suspended"),
        (seen("stopped", "", CRASHED), "bad", "it stopped after exit code 3"),
        (seen("suspended", "", KILLED), "bad", "it stopped after exit code 137, out of memory"),
        (
            seen("stopped", "", exit_event(requested_stop=True)),
            "well",
            "it was stopped on request",
        ),
        (
            seen("started", "pp", exit_event(exit_code=3)),
            "bad",
            "it crashes again and again with exit code 3",
        ),
        (
            seen("started", "pp", exit_event(exit_code=137, oom_killed=True)),
            "bad",
            "it crashes again and again with exit code 137, out of memory",
        ),
    ],
)
def test_the_reason_is_told(machine: models.Machine, health: str, reason: str) -> None:
    for instance in ("v2", None):
        verdict = judge(machine, instance_id=instance, checks=True)
        assert verdict == Verdict(Health(health), reason)
    elsewhere = judge(machine, instance_id="v3", checks=True)
    assert elsewhere == Verdict(Health.PENDING, "its new version is not there yet")


def test_a_machine_that_does_not_tell_its_version_is_judged_as_it_is() -> None:
    machine = evolve(seen(checks="pp"), instance_id=None)
    assert judge(machine, instance_id="v3", checks=True).health is Health.WELL


def test_a_machine_without_checks_has_none_to_wait_for() -> None:
    bare = evolve(seen(), config=models.FlyMachineConfig())
    assert judge(bare, instance_id=None, checks=True).health is Health.WELL
    assert judge(evolve(bare, config=None), instance_id=None, checks=True).health is Health.WELL


def test_checks_of_services_count_and_the_first_failing_one_is_heard() -> None:
    service = models.FlyMachineService(checks=[models.FlyMachineServiceCheck()])
    config = evolve(CONFIG, services=[service, models.FlyMachineService()])
    checks = [
        models.CheckStatus(name="a", status="passing", output="fine"),
        models.CheckStatus(name="b", status="warning", output=" no route "),
        models.CheckStatus(name=None, status="critical", output="refused"),
    ]
    machine = evolve(seen(), config=config, checks=checks)
    assert count_checks(machine) == CheckCount(
        configured=3, reported=3, passing=1, output=" no route "
    )
    verdict = judge(machine, instance_id=None, checks=True)
    assert verdict == Verdict(Health.PENDING, "1 of 3 checks pass: no route")
    assert count_checks(models.Machine()) == CheckCount(configured=0, reported=0, passing=0)


def test_the_names_that_checks_are_reported_under() -> None:
    first = models.FlyMachineService(
        internal_port=8080,
        checks=[
            models.FlyMachineServiceCheck(),
            models.FlyMachineServiceCheck(type="http", port=9000),
        ],
    )
    second = models.FlyMachineService(
        internal_port=5, checks=[models.FlyMachineServiceCheck(type="tcp")]
    )
    config = evolve(CONFIG, services=[first, models.FlyMachineService(), second])
    assert check_names(config) == {
        "a",
        "b",
        "servicecheck-00-tcp-8080",
        "servicecheck-01-http-9000",
        "servicecheck-00-tcp-5",
    }


@pytest.mark.parametrize(
    ("configured", "reported", "passing", "complete"),
    [
        (2, 2, 2, True),
        (2, 3, 3, True),
        (2, 1, 1, False),
        (2, 2, 1, False),
        (0, 0, 0, False),
    ],
)
def test_when_checks_are_complete(
    configured: int, reported: int, passing: int, complete: bool
) -> None:
    count = CheckCount(configured=configured, reported=reported, passing=passing)
    assert count.complete is complete


def test_since_when_a_machine_is_in_its_state() -> None:
    times = [("started", 5000), ("stopped", 9000), ("started", 7000), ("started", None)]
    events = [models.MachineEvent(status=status, timestamp=at) for status, at in times]
    assert state_since(seen("started", "", *events)) == 7.0
    assert state_since(seen("stopped", "", *events)) == 9.0
    assert state_since(seen("failed", "", *events)) is None
    assert state_since(models.Machine(state="started")) is None


def test_since_when_the_checks_are_as_they_are() -> None:
    times = ["1970-01-01T00:01:00Z", None, "soon", "1970-01-01T00:02:00Z", "1970-01-01T00:00:30Z"]
    machine = evolve(seen(), checks=[models.CheckStatus(updated_at=at) for at in times])
    assert checks_since(machine) == 120.0
    assert checks_since(models.Machine()) is None


@pytest.mark.parametrize(
    ("data", "code"),
    [({"exit_code": 3}, 3), ({"exit_code": 0, "guest_exit_code": 4}, 4), ({}, 0)],
)
def test_the_code_that_a_process_ended_with(data: dict[str, Any], code: int) -> None:
    assert exit_code(data) == code


def test_how_the_main_process_ended_last() -> None:
    start, other = models.MachineEvent(type="start"), exit_event(exit_code=9)
    found = newest_exit(seen("stopped", "", start, CRASHED, other))
    assert found is not None
    assert (found["exit_code"], found["restart_count"]) == (3, 2)
    inside = {"exit_code": 5, "restart_count": 7}
    own = models.MachineEvent(type="exit", request={"exit_event": inside, "restart_count": 1})
    assert newest_exit(seen("stopped", "", own)) == inside
    for since in ("launch", "update"):
        assert newest_exit(seen("stopped", "", models.MachineEvent(type=since), CRASHED)) is None
    bare = models.MachineEvent(type="exit")
    assert newest_exit(seen("stopped", "", bare)) == {"restart_count": 0}


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
        assert learned.low <= learned.next_look(LookPolicy(), 0.0) <= learned.high
        assert learned.next_look(LookPolicy(), low) > low
