"""New configs for machines that exist, whatever an earlier run left."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import CANARY, STANDS_FOR, TAG
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.updates import (
    Reconfiguration,
    plan_reconfiguration,
    with_guest,
)
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    DestroyMachine,
    HoldMachines,
    UpdateMachine,
)
from score_flyio.errors import ConfigError, PlanError
from score_flyio.flytoml.spec import AppSpec, DeploySection
from score_flyio.flytoml.values import Duration
from score_flyio.state.deployments import Release
from tests.unit.deploy.planning.plans import machine

CHECK = {"alive": models.FlyMachineCheck(type="tcp", port=80)}
NEW = "a:2"


def config(
    image: str = "a:1", *, marks: Mapping[str, str] | None = None, **more: Any
) -> models.FlyMachineConfig:
    metadata = {"fly_process_group": "app", **(marks or {})}
    return models.FlyMachineConfig(image=image, checks=CHECK, metadata=metadata, **more)


def plan(
    *machines: models.Machine,
    definition: AppSpec | None = None,
    changed: tuple[str, ...] | None = None,
    restart: bool = False,
    **options: Any,
) -> AppPlan:
    """What gives the machines a new image."""
    numbers = count(1)
    names = [m.id for m in machines] if changed is None else changed
    return plan_reconfiguration(
        Reconfiguration(
            observed=ObservedApp(name="web", app=models.App(name="web"), machines=machines),
            label="web",
            configs={
                m.id or "": evolve(m.config, image=NEW)
                for m in machines
                if m.config and m.id in names
            },
            release=Release(id="R", version=2, tool_version="t"),
            new_id=lambda: f"ID{next(numbers)}",
            options=DeployOptions(**{"smoke_checks": False} | options),
            definition=definition,
            restart=restart,
        )
    )


def updated(found: AppPlan) -> list[str]:
    return [step.machine for step in found.steps if isinstance(step, UpdateMachine)]


def destroyed(found: AppPlan) -> list[str | None]:
    return [step.target.machine for step in found.steps if isinstance(step, DestroyMachine)]


def test_a_canary_is_like_the_first_machine_that_changes() -> None:
    marks = {"score_flyio_launch": "x", "own": "kept"}
    rests = machine("a", config(marks=marks), state="stopped")
    runs = machine("b", config(marks=marks), region="fra")
    found = plan(rests, runs, strategy="canary")
    (made,) = [step for step in found.steps if isinstance(step, CreateMachine)]
    new = made.request.config
    assert new is not None
    assert (made.role, made.request.region, new.image) == ("canary", "fra", NEW)
    assert (new.metadata or {})[CANARY] == "true"
    assert (new.metadata or {})["own"] == "kept"
    assert new.dns == models.FlyDNSConfig(skip_registration=True)
    assert updated(found) == ["b", "a"]


def test_bluegreen_replaces_all_of_a_group_or_none() -> None:
    first, second = machine("a", config(NEW)), machine("b", config())
    found = plan(first, second, strategy="bluegreen")
    assert sorted(map(str, destroyed(found))) == ["a", "b"]
    assert updated(found) == []
    (hold,) = [step for step in found.steps if isinstance(step, HoldMachines)]
    assert set(hold.machines) == {"a", "b"}
    assert plan(first, strategy="bluegreen").empty


def test_greens_see_the_secrets_that_updates_would() -> None:
    found = plan_reconfiguration(
        Reconfiguration(
            observed=ObservedApp(name="web", machines=(machine("a", config()),)),
            label="web",
            configs={"a": config()},
            release=Release(id="R", version=2, tool_version="t"),
            new_id=lambda: "ID",
            options=DeployOptions(strategy="bluegreen"),
            restart=True,
            min_secrets_version=7,
        )
    )
    (made,) = [step for step in found.steps if isinstance(step, CreateMachine)]
    assert made.request.min_secrets_version == 7


def test_the_strategy_and_times_of_the_definition_count() -> None:
    spec = AppSpec(deploy=DeploySection(strategy="canary", max_unavailable=3.0))
    machines = [machine(name, config()) for name in "abcd"]
    found = plan(*machines, definition=spec)
    assert any(step.id == "canary:app" for step in found.steps)
    assert found.pools["rolling:app"] == 3
    over = plan(*machines, definition=spec, strategy="immediate", max_unavailable=1.0)
    assert not any(isinstance(step, CreateMachine) for step in over.steps)


def test_the_times_of_the_definition_count_also_where_an_earlier_run_is_finished() -> None:
    """Both of two machines that were being replaced go, each behind the one that took over."""
    spec = AppSpec(deploy=DeploySection(wait_timeout=Duration.parse("2m")))
    machines = (
        machine("a", config()),
        machine("b", config()),
        machine("c", config(marks={STANDS_FOR: "a"})),
        machine("d", config(marks={STANDS_FOR: "b"})),
    )
    found = plan(*machines, definition=spec)
    assert destroyed(found) == ["a", "b"]
    assert updated(found) == ["c", "d"]
    waits = {step.id: step.timeout for step in found.steps if isinstance(step, AwaitHealthy)}
    assert waits == dict.fromkeys(("update:c:healthy", "update:d:healthy"), 120.0)
    ends = [step.needs for step in found.steps if isinstance(step, DestroyMachine)]
    assert [needs[0] for needs in ends] == ["update:c:healthy", "update:d:healthy"]
    found = plan(*machines, definition=spec, strategy="immediate")
    waits = {step.id: step.timeout for step in found.steps if isinstance(step, AwaitHealthy)}
    assert waits == dict.fromkeys(("replaced:a:healthy", "replaced:b:healthy"), 120.0)


def test_the_concurrency_of_the_options_counts() -> None:
    machines = [machine(name, config()) for name in "abcd"]
    found = plan(*machines, strategy="immediate", concurrency=3)
    assert found.pools == {"immediate:app": 3}


def test_checks_of_one_machine_of_a_group_are_waited_for() -> None:
    found = plan(machine("a", config()), machine("b", evolve(config(), checks=None)))
    waits = [step for step in found.steps if isinstance(step, AwaitHealthy)]
    assert [wait.wait_for_checks for wait in waits] == [True, True]


def test_an_impossible_strategy_of_the_definition_becomes_rolling_with_a_note() -> None:
    spec = AppSpec(deploy=DeploySection(strategy="bluegreen"))
    alone = machine("a", evolve(config(), checks=None))
    found = plan(alone, definition=spec)
    assert updated(found) == ["a"]
    (note,) = found.notes
    assert "rolling is used instead" in note
    with pytest.raises(ConfigError, match="needs a check"):
        plan(alone, definition=spec, strategy="bluegreen")


def test_a_machine_that_was_given_up_starts_again() -> None:
    crashed = [models.MachineEvent(type="exit", request={"exit_event": {"exit_code": 1}})]
    found = plan(machine("a", config(), state="stopped", events=crashed))
    (step,) = [step for step in found.steps if isinstance(step, UpdateMachine)]
    assert step.request.skip_launch is False


def test_an_unwell_machine_is_waited_for_before_others_change() -> None:
    ill = machine("a", config(NEW), state="starting")
    found = plan(ill, machine("b", config()))
    (wait,) = [s for s in found.steps if isinstance(s, AwaitHealthy) and s.target.machine == "a"]
    (update,) = [step for step in found.steps if isinstance(step, UpdateMachine)]
    assert wait.id in update.needs


def test_a_group_that_nothing_is_wanted_of_is_left_alone() -> None:
    ill = machine("a", config(marks={"fly_process_group": "worker"}), state="starting")
    found = plan(ill, machine("b", config()), changed=("b",))
    assert not any(getattr(step, "group", None) == "worker" for step in found.steps)
    assert "a" in found.unchanged


@pytest.mark.parametrize("changed", [(), ("b",)], ids=["all have them", "one has not"])
def test_secrets_are_for_all_groups_whose_machines_are_waited_for(changed: tuple[str, ...]) -> None:
    """An earlier run handed them out to one, and was cut short before that was well."""
    ill = machine("a", config(marks={"fly_process_group": "worker"}), state="starting")
    found = plan(ill, machine("b", config()), changed=changed, restart=True)
    assert "a" in [s.target.machine for s in found.steps if isinstance(s, AwaitHealthy)]
    assert updated(found) == list(changed)


def test_a_machine_of_a_lost_host_is_not_waited_for() -> None:
    lost = machine("a", config(), state="starting", host_status="unreachable")
    found = plan(lost, machine("b", config()), changed=("b",), restart=True)
    waits = [s.target.machine for s in found.steps if isinstance(s, AwaitHealthy)]
    assert "a" not in waits


@pytest.mark.parametrize(
    "left",
    [
        machine("x", config(marks={CANARY: "true"})),
        machine("x", config(marks={TAG: "R1", STANDS_FOR: "a"})),
        machine("x", config(marks={TAG: "safe_to_destroy"})),
    ],
    ids=["canary", "green", "blue"],
)
def test_leftovers_go_and_are_not_updated(left: models.Machine) -> None:
    found = plan(machine("a", config()), left)
    assert (updated(found), destroyed(found)) == (["a"], ["x"])
    (hold,) = [step for step in found.steps if isinstance(step, HoldMachines)]
    assert {*hold.machines, *hold.in_the_making} == {"a", "x"}


def test_a_machine_that_another_took_over_from_goes_once_that_one_is_well() -> None:
    found = plan(machine("a", config()), machine("b", config(marks={STANDS_FOR: "a"})))
    assert (updated(found), destroyed(found)) == (["b"], ["a"])
    (gone,) = [step for step in found.steps if isinstance(step, DestroyMachine)]
    assert gone.needs[0] == "update:b:healthy"


def test_one_that_took_over_and_is_replaced_by_a_green_one_need_not_be_well() -> None:
    ill = machine("b", config(marks={STANDS_FOR: "a"}), state="restarting")
    found = plan(machine("a", config()), ill, strategy="bluegreen")
    steps = {step.id: step for step in found.steps}
    assert "replaced:a:healthy" not in steps
    assert steps["destroy:a"].needs[0] == "destroy:b"


def test_another_size_leaves_the_config_it_is_made_from_as_it_is() -> None:
    before = config(marks={"own": "kept"}, guest=models.FlyMachineGuest())
    size = models.FlyMachineGuest(cpu_kind="shared", cpus=2, memory_mb=512)
    after = with_guest(before, size)
    assert after.guest == size
    assert after.guest is not size
    assert after.metadata == {"fly_process_group": "app", "own": "kept"}
    assert before.metadata == {"fly_process_group": "app", "own": "kept"}
    assert (after.image, before.guest) == ("a:1", models.FlyMachineGuest())


@pytest.mark.parametrize(
    ("state", "starts", "skips"),
    [("started", False, False), ("stopped", False, True), ("starting", True, False)],
)
def test_what_starts_by_an_update(state: str, starts: bool, skips: bool) -> None:
    found = plan(machine("a", config(), state=state, region="fra"))
    (step,) = [step for step in found.steps if isinstance(step, UpdateMachine)]
    assert (step.starts, step.request.skip_launch) == (starts, skips)
    assert (step.group, step.region, step.request.region) == ("app", "fra", "fra")
    assert step.request.skip_secrets is False
    assert found.fingerprint
    assert [m.id for m in found.machines] == ["a"]


def test_a_machine_of_a_lost_host_stops_what_would_change_it() -> None:
    lost = machine("a", config(), host_status="unreachable")
    with pytest.raises(PlanError, match="machine a"):
        plan(lost, machine("b", config()))
    assert updated(plan(lost, machine("b", config()), changed=("b",))) == ["b"]


def test_bluegreen_is_refused_beside_a_machine_that_no_deploy_made() -> None:
    observed = ObservedApp(
        name="web",
        machines=(machine("a", config()),),
        others=(models.Machine(id="x", state="started"),),
    )
    change = Reconfiguration(
        observed=observed,
        label="web",
        configs={"a": config(NEW)},
        release=Release(id="R", version=2, tool_version="t"),
        new_id=lambda: "ID",
        options=DeployOptions(strategy="bluegreen"),
    )
    with pytest.raises(ConfigError, match="beside machine x, which no deploy made"):
        plan_reconfiguration(change)
    assert updated(plan_reconfiguration(evolve(change, options=DeployOptions()))) == ["a"]


@pytest.mark.parametrize(
    ("marks", "group"), [({}, "web"), ({"fly_process_group": "worker"}, "worker")]
)
def test_an_update_belongs_to_the_group_that_its_config_names(
    marks: dict[str, str], group: str
) -> None:
    """A rollback may bring a machine back to the group that it came from."""
    present = machine("a", config(marks={"fly_process_group": "web"}))
    found = plan_reconfiguration(
        Reconfiguration(
            observed=ObservedApp(name="web", machines=(present,)),
            label="web",
            configs={"a": evolve(config(NEW), metadata=marks)},
            release=Release(id="R", version=2, tool_version="t"),
            new_id=lambda: "ID",
        )
    )
    assert [s.group for s in found.steps if isinstance(s, UpdateMachine)] == [group]


def test_a_green_standby_stands_by_for_the_green_of_its_machine() -> None:
    standby = machine("a", config(standbys=["b"]), state="stopped")
    found = plan(standby, machine("b", config()), strategy="bluegreen")
    (green,) = (s for s in found.steps if isinstance(s, CreateMachine) and s.previous == "a")
    assert green.standby_for == (Ref(step="green:b"),)
