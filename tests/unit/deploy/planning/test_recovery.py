"""What is undone after a failure."""

from __future__ import annotations

import pytest

from score_flyio.deploy.options import OnFailure
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.recovery import plan_recovery
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    DestroyMachine,
    RevertMachine,
    Step,
    UncordonMachine,
)
from tests.unit.deploy.planning.plans import CHECK, SERVICE, changed, launched, planned, wanted

ONE, TWO = "create:app:1", "create:app:2"
NEW = wanted(SERVICE + CHECK, image="nginx:2")


def update(strategy: str, **facts: str) -> AppPlan:
    observed = changed(launched(wanted(SERVICE + CHECK)), TWO, **facts)
    return planned(NEW, observed, strategy=strategy)


def recovery(
    plan: AppPlan, failed: str, *, done: set[str], on_failure: OnFailure = "rollback"
) -> list[Step]:
    outcomes = {step.id: "skipped" for step in plan.steps}
    outcomes |= dict.fromkeys(done, "done") | {failed: "failed"}
    return list(plan_recovery(plan, outcomes, on_failure))


@pytest.mark.parametrize(("on_failure", "count"), [("rollback", 1), ("keep", 0), ("stop", 0)])
def test_updated_machines_go_back_when_one_is_not_well(on_failure: OnFailure, count: int) -> None:
    plan = update("rolling")
    found = recovery(plan, f"update:{ONE}:healthy", done={f"update:{ONE}"}, on_failure=on_failure)
    assert [step.machine for step in found if isinstance(step, RevertMachine)] == [ONE] * count
    waited = [step.target.step for step in found if isinstance(step, AwaitHealthy)]
    assert waited == [f"update:{ONE}:reverted"] * count
    assert len(found) == 2 * count


def test_a_machine_that_was_not_well_before_goes_back_but_is_not_waited_for() -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), ONE, checks=[])
    plan = planned(NEW, observed, strategy="rolling")
    found = recovery(plan, f"update:{ONE}:healthy", done={f"update:{ONE}"})
    assert [type(step) for step in found] == [RevertMachine]


def test_a_failed_call_brings_nothing_back() -> None:
    assert recovery(update("rolling"), f"update:{TWO}", done={f"update:{ONE}"}) == []


def test_machines_at_rest_go_back_to_rest() -> None:
    plan = update("rolling", state="stopped")
    found = recovery(plan, f"update:{ONE}:healthy", done={f"update:{ONE}", f"update:{TWO}"})
    launched_again = {s.machine: s.launch for s in found if isinstance(s, RevertMachine)}
    assert launched_again == {ONE: True, TWO: False}


def test_a_canary_that_was_not_well_goes() -> None:
    found = recovery(update("canary"), "canary:app:healthy", done={"canary:app"})
    assert [s.target.step for s in found if isinstance(s, DestroyMachine)] == ["canary:app"]


def test_a_canary_that_went_already_does_not_go_again() -> None:
    done = {"canary:app", "canary:app:healthy", "canary:app:removed", f"update:{ONE}"}
    found = recovery(update("canary"), f"update:{ONE}:healthy", done=done)
    assert [type(step) for step in found] == [RevertMachine, AwaitHealthy]


def test_green_machines_go_until_all_of_them_serve() -> None:
    plan = update("bluegreen")
    greens = {f"green:{ONE}", f"green:{TWO}"}
    found = recovery(plan, f"green:{TWO}:healthy", done=greens)
    assert {s.target.step for s in found if isinstance(s, DestroyMachine)} == greens
    switched = {step.id for step in plan.steps if isinstance(step, UncordonMachine)}
    assert recovery(plan, f"mark:{ONE}", done=greens | switched) == []


def test_green_machines_go_as_long_as_one_of_them_is_out_of_routing() -> None:
    """Blue machines still serve until every green one does."""
    plan = update("bluegreen")
    greens = {f"green:{ONE}", f"green:{TWO}"}
    for switched, failed in ((ONE, TWO), (TWO, ONE)):
        done = greens | {f"green:{switched}:uncordon"}
        found = recovery(plan, f"green:{failed}:uncordon", done=done)
        assert {s.target.step for s in found if isinstance(s, DestroyMachine)} == greens


def test_green_machines_of_a_group_that_switched_stay_when_those_of_another_go() -> None:
    groups = "[processes]\napp = 'a'\nworker = 'b'\n"
    checks = CHECK + "processes = ['app', 'worker']\n"
    plan = planned(
        wanted(groups + checks, image="nginx:2"),
        launched(wanted(groups + checks)),
        strategy="bluegreen",
    )
    greens = {s.id: s.group for s in plan.steps if isinstance(s, CreateMachine)}
    switched = {s.id for s in plan.steps if isinstance(s, UncordonMachine) and s.group == "app"}
    assert set(greens.values()) == {"app", "worker"}
    found = recovery(plan, "green:create:worker:1:healthy", done={*greens, *switched})
    gone = {s.target.step for s in found if isinstance(s, DestroyMachine)}
    assert gone == {name for name, group in greens.items() if group == "worker"}


def test_a_replacement_that_was_not_well_goes() -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), ONE, host_status="unreachable")
    plan = planned(wanted(SERVICE + CHECK), observed)
    found = recovery(plan, f"replace:{ONE}:healthy", done={f"replace:{ONE}"})
    assert [s.target.step for s in found if isinstance(s, DestroyMachine)] == [f"replace:{ONE}"]
