"""Which machines a plan holds, and what it compares the app with afterwards."""

from __future__ import annotations

import pytest

from fly_machines import models
from score_flyio.deploy.metadata import CANARY, GREEN_LAUNCH, SAFE_TO_DESTROY, STANDS_FOR, TAG
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.holding import held, hold_steps
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.step import CreateMachine, DestroyMachine, HoldMachines, StartMachine, Step


def machine(name: str, made: int, **marks: str) -> models.Machine:
    return models.Machine(
        id=name,
        instance_id=f"{name}-1",
        created_at=f"2026-01-01T00:00:0{made}Z",
        config=models.FlyMachineConfig(metadata=dict(marks)),
    )


def app(*machines: models.Machine) -> ObservedApp:
    return ObservedApp(name="web", app=models.App(name="web"), machines=machines)


CREATE = CreateMachine(id="create", request=models.CreateMachineRequest(), launch_id="L:1/1")
DESTROY = DestroyMachine(id="destroy", target=Ref(machine="b"), reason="fewer")
START = StartMachine(id="start", target=Ref(machine="b"))


def hold_of(steps: tuple[Step, ...]) -> HoldMachines | None:
    return next((step for step in steps if isinstance(step, HoldMachines)), None)


@pytest.mark.parametrize(
    ("steps", "also"),
    [((CREATE, START), True), ((DESTROY,), True), ((START,), False)],
)
def test_who_changes_how_many_there_are_holds_the_oldest_machine(
    steps: tuple[Step, ...], also: bool
) -> None:
    observed = app(machine("b", 2), machine("a", 3), machine("c", 1))
    hold = hold_of(held(observed, GroupPlan(steps=steps)))
    assert hold is not None
    assert hold.machines == (("c", "b") if also else ("b",))


def test_the_oldest_machine_is_one_that_can_be_held() -> None:
    lost = machine("a", 1)
    lost.host_status = "unreachable"
    hold = hold_of(held(app(lost, machine("b", 2)), GroupPlan(steps=(CREATE,))))
    assert hold is not None
    assert hold.machines == ("b",)


def test_no_lease_is_asked_for_where_the_host_does_not_answer() -> None:
    lost = machine("b", 1)
    lost.host_status = "unreachable"
    hold = hold_of(held(app(machine("a", 2), lost), GroupPlan(steps=(DESTROY,))))
    assert hold is not None
    assert hold.machines == ("a",)


def test_where_nothing_runs_nothing_is_held() -> None:
    steps = held(app(), GroupPlan(steps=(CREATE,)), before=("app",))
    assert hold_of(steps) is None
    assert steps[0].needs == ("app",)


@pytest.mark.parametrize(
    ("marks", "making"),
    [
        ({CANARY: "true"}, True),
        ({TAG: "release", GREEN_LAUNCH: "x"}, True),
        ({TAG: SAFE_TO_DESTROY}, False),
        ({STANDS_FOR: "a"}, True),
        ({STANDS_FOR: "gone"}, False),
        ({}, False),
    ],
)
def test_what_another_run_may_be_making_is_held_at_last(
    marks: dict[str, str], making: bool
) -> None:
    observed = app(machine("a", 2), machine("new", 1, **marks))
    (hold,) = hold_steps(observed.machines, ["new", "a"])
    assert hold.in_the_making == (("new",) if making else ())
    assert hold.machines == (("a",) if making else ("new", "a"))
    assert hold.seen == {"a": "a-1", "new": f"new-1 {marks.get(TAG, '')}".rstrip()}
