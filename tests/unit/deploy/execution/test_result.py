"""How the steps of an app went, put together."""

from __future__ import annotations

from score_flyio.deploy.execution.execute import AppResult, StepResult
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import DestroyMachine
from score_flyio.errors import LeaseLost, ScoreFlyError
from score_flyio.state.deployments import Release


def failed(name: str, error: ScoreFlyError) -> StepResult:
    target = Ref(machine="one")
    step = DestroyMachine(id=name, group="app", target=target, reason="")
    return StepResult(step=step, outcome="failed", started=0.0, ended=1.0, error=error)


def test_a_way_back_that_fails_for_the_same_reason_is_no_failure_more() -> None:
    lost = "machine one: the lease was lost"
    result = AppResult(
        plan=AppPlan(app="web", label="web", steps=(), release=Release(version=2)),
        results={"a": failed("a", LeaseLost(lost)), "b": failed("b", LeaseLost(lost))},
        recovery={"c": failed("c", LeaseLost(lost)), "d": failed("d", LeaseLost("another one"))},
    )
    assert [str(error) for error in result.failures] == [lost, lost, "another one"]
