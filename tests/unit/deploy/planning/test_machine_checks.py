"""Machine checks in plans: which machine is tested, when, and by what."""

from __future__ import annotations

from typing import Any

import pytest

from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.options import GuestOptions
from score_flyio.deploy.planning.recovery import plan_recovery
from score_flyio.deploy.step import RevertMachine, RunMachineCheck
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    ids,
    launched,
    planned,
    step,
    updates,
    wanted,
)

TESTS = """
[[http_service.machine_checks]]
command = ["curl", "-f", "http://x y"]
[[machine_checks]]
command = ["true"]
image = "probe:1"
entrypoint = ["sh"]
"""
UNTESTED = "machine checks of group app are not run: no new machine is waited for"


def test_the_first_update_is_tested_before_the_next() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(wanted(SERVICE + CHECK + TESTS, image="nginx:2"), observed)
    first, second = updates(plan)
    one = step(plan, f"{first.id}:check:1")
    other = step(plan, f"{first.id}:check:2")
    assert one.needs == (f"{first.id}:healthy",)
    assert other.needs == (one.id,)
    assert second.needs == (other.id,)
    assert {each.target for each in (one, other)} == {first.target}
    assert [s for s in ids(plan) if s.startswith(f"{second.id}:check")] == []


def test_a_test_machine_is_made_from_the_new_config() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(
        wanted(SERVICE + CHECK + TESTS, image="nginx:2"),
        observed,
        wait_timeout=77.0,
        guest=GuestOptions(size="shared-cpu-4x"),
    )
    one, other = (each for each in plan.steps if isinstance(each, RunMachineCheck))
    assert (one.command, other.command) == ("curl -f 'http://x y'", "true")
    assert (one.timeout, one.launch_id != other.launch_id) == (77.0, True)
    assert one.request.config is not None
    assert other.request.config is not None
    assert (one.request.config.image, other.request.config.image) == ("nginx:2", "probe:1")
    assert other.request.config.init is not None
    assert other.request.config.init.entrypoint == ["sh"]
    assert one.request.config.guest is not None
    assert one.request.config.guest.cpus == 4
    assert one.describe() == f"test {one.target} with `curl -f 'http://x y'`"
    assert [call.split()[0] for call in one.calls("web")] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("options", [{"strategy": "immediate"}, {"detach": True}])
def test_that_nothing_is_tested_is_told_where_something_changes(options: dict[str, Any]) -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(wanted(SERVICE + CHECK + TESTS, image="nginx:2"), observed, **options)
    assert not any(isinstance(each, RunMachineCheck) for each in plan.steps)
    assert plan.notes == (UNTESTED,)
    assert planned(wanted(SERVICE + CHECK, image="nginx:2"), observed, **options).notes == ()
    again = planned(wanted(SERVICE + CHECK + TESTS), launched(wanted(SERVICE + CHECK)), **options)
    assert (again.steps, again.notes) == ((), ())


@pytest.mark.parametrize("options", [{"strategy": "immediate"}, {"detach": True}])
def test_a_launch_tells_it_too(options: dict[str, Any]) -> None:
    assert planned(wanted(SERVICE + CHECK + TESTS), **options).notes == (UNTESTED,)


def test_the_first_machine_of_a_launch_is_tested() -> None:
    plan = planned(wanted(SERVICE + CHECK + TESTS))
    tested = [each.id for each in plan.steps if isinstance(each, RunMachineCheck)]
    assert tested == ["create:app:1:check:1", "create:app:1:check:2"]
    assert not {*tested} & {*step(plan, "create:app:2").needs}
    assert plan.notes == ()


def test_a_canary_is_tested_and_then_no_other() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(wanted(SERVICE + CHECK + TESTS, image="nginx:2"), observed, strategy="canary")
    tested = [each.id for each in plan.steps if isinstance(each, RunMachineCheck)]
    assert tested == ["canary:app:check:1", "canary:app:check:2"]
    assert step(plan, "canary:app:removed").needs == ("canary:app:check:2",)
    assert "canary:app:check:2" in updates(plan)[0].needs


def test_one_green_machine_is_tested_before_any_is_routed() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(wanted(SERVICE + CHECK + TESTS, image="nginx:2"), observed, strategy="bluegreen")
    tested = [each.id for each in plan.steps if isinstance(each, RunMachineCheck)]
    assert tested == ["green:create:app:1:check:1", "green:create:app:1:check:2"]
    for name in ("create:app:1", "create:app:2"):
        assert tested[-1] in step(plan, f"green:{name}:uncordon").needs
        assert "green:create:app:2:healthy" in step(plan, f"green:{name}:uncordon").needs


def test_a_failed_check_puts_back_what_was_updated() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(wanted(SERVICE + CHECK + TESTS, image="nginx:2"), observed)
    first = updates(plan)[0]
    outcomes = {first.id: "done", f"{first.id}:healthy": "done", f"{first.id}:check:1": "failed"}
    back = [s for s in plan_recovery(plan, outcomes, "rollback") if isinstance(s, RevertMachine)]
    assert [each.machine for each in back] == [first.machine]
    assert not plan_recovery(plan, outcomes, "keep")


def test_a_check_without_a_command_is_refused() -> None:
    with pytest.raises(ConversionError, match="a machine check has no command"):
        planned(wanted(SERVICE + "[[machine_checks]]\nimage = 'x'"))
