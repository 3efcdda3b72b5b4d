"""In which order machines change."""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.rollout import roll_out
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Waiting
from score_flyio.deploy.step import AwaitHealthy, UpdateMachine
from score_flyio.state.deployments import Release


def group(running: int, resting: int = 0, **settings: object) -> GroupUpdate:
    def update(name: str, *, rests: bool) -> UpdateMachine:
        return UpdateMachine(
            id=f"update:{name}",
            group="app",
            machine=name,
            request=models.UpdateMachineRequest(skip_launch=rests),
            previous=models.FlyMachineConfig(),
            instance_id="v1",
        )

    updates = [update(f"m{number}", rests=False) for number in range(running)]
    updates += [update(f"r{number}", rests=True) for number in range(resting)]
    machines = {
        step.machine: models.Machine(state="stopped" if step.request.skip_launch else "started")
        for step in updates
    }
    given: dict[str, object] = {
        "observed": ObservedApp(name="web"),
        "group": "app",
        "machines": machines,
        "updates": tuple(updates),
        "changing": frozenset(machines),
        "one_more": None,
        "release": Release(version=1),
        "new_id": lambda: "ID",
        "app_has_checks": False,
        "waiting": Waiting(timeout=60, checks=True, smoke_window=10.0),
    }
    return GroupUpdate(**(given | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "unavailable", "slots"),
    [(2, 0.33, 1), (10, 0.33, 4), (10, 1, 1), (10, 3, 3), (3, 0.5, 2), (1, 0.1, 1), (4, 1.0, 1)],
)
def test_how_many_may_be_out(size: int, unavailable: float, slots: int) -> None:
    assert group(size, max_unavailable=unavailable).slots == slots


def test_rolling_begins_with_one_and_bounds_the_rest() -> None:
    ordered = STRATEGIES["rolling"].order(group(4, before=("hold",)))
    first, *others = [step for step in ordered.steps if isinstance(step, UpdateMachine)]
    assert (first.needs, first.takes) == (("hold",), None)
    for step in others:
        assert "update:m0:smoke" in step.needs
        assert step.takes == "rolling:app"
    waits = [step for step in ordered.steps if isinstance(step, AwaitHealthy)]
    assert [step.frees for step in waits] == [None, *(step.id for step in others)]
    assert ordered.pools["rolling:app"] == 2


def test_rolling_without_waiting_bounds_only_the_calls() -> None:
    waiting = Waiting(timeout=60, checks=True, smoke_window=0, detach=True)
    ordered = STRATEGIES["rolling"].order(group(3, waiting=waiting))
    assert all(isinstance(step, UpdateMachine) for step in ordered.steps)
    assert all(step.frees == step.id for step in ordered.steps)


def test_machines_at_rest_come_after_the_first_one_is_well() -> None:
    ordered = STRATEGIES["rolling"].order(group(2, resting=2))
    resting = [step for step in ordered.steps if step.id.startswith("update:r")]
    assert all("update:m0:smoke" in step.needs for step in resting)


def test_rolling_does_for_a_strategy_that_is_impossible() -> None:
    update = group(3, waiting=Waiting(timeout=60, checks=False, smoke_window=0))
    update = evolve(update, changing=frozenset({"m1"}))
    plan = roll_out(update, "bluegreen", replaced=frozenset({"m2"}), fall_back=True)
    assert plan.unchanged == ("m0",)
    assert [step.machine for step in plan.steps if isinstance(step, UpdateMachine)] == ["m1"]


def test_immediate_waits_for_nothing() -> None:
    ordered = STRATEGIES["immediate"].order(
        group(5, resting=1, before=("hold",), options=DeployOptions(concurrency=3))
    )
    assert all(step.needs == ("hold",) for step in ordered.steps)
    assert ordered.pools == {"immediate:app": 3}


def test_a_step_never_needs_a_later_one() -> None:
    for name in ("rolling", "immediate"):
        ordered = STRATEGIES[name].order(group(6, resting=2))
        place = {step.id: number for number, step in enumerate(ordered.steps)}
        for step in ordered.steps:
            assert all(place[need] < place[step.id] for need in step.needs if need in place)
        assert [a for a, b in pairwise(place) if place[a] > place[b]] == []
