"""Back to the groups of an earlier release: which come back, and which machines end."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.metadata import CANARY, GROUP, RELEASE_VERSION, STANDS_FOR, group_of
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.returning import Then, plan_return
from score_flyio.deploy.planning.updates import Reconfiguration
from score_flyio.deploy.step import AwaitHealthy, CreateMachine, DestroyMachine, HoldMachines
from score_flyio.flytoml.spec import AppSpec, DeploySection
from score_flyio.flytoml.values import Duration
from score_flyio.state.deployments import Member, Release
from tests.unit.deploy.planning.plans import machine, updates

CHECK = {"alive": models.FlyMachineCheck(type="tcp", port=80)}


def config(group: str = "app", **more: Any) -> models.FlyMachineConfig:
    metadata = {"fly_process_group": group, **more.pop("marks", {})}
    return models.FlyMachineConfig(image="a:1", checks=CHECK, metadata=metadata, **more)


def returned(
    *machines: models.Machine,
    groups: Mapping[tuple[str, str], int] | None = None,
    standbys: Mapping[tuple[str, str], int] | None = None,
    without: Mapping[tuple[str, str], tuple[str, ...]] | None = None,
    lost: Mapping[str, models.FlyMachineConfig] | None = None,
    gone: Mapping[str, str] | None = None,
    volumes: tuple[models.Volume, ...] = (),
    definition: AppSpec | None = None,
    **options: Any,
) -> AppPlan:
    """The plan back to release 1; all machines that are not gone get a new image."""
    numbers = count(1)
    observed = ObservedApp(
        name="web", app=models.App(name="web"), machines=machines, volumes=volumes
    )
    kept = tuple(m for m in machines if m.id not in (gone or {}))
    change = Reconfiguration(
        observed=observed,
        label="web",
        configs={m.id or "": evolve(m.config, image="a:0") for m in kept if m.config},
        release=Release(id="R", version=3, back_to=1, tool_version="t"),
        new_id=lambda: f"ID{next(numbers)}",
        options=DeployOptions(**{"smoke_checks": False} | options),
        definition=definition,
    )
    then = Then(
        kept=kept,
        groups={m.id or "": group_of(m) for m in machines},
        lost=groups or {},
        standbys=standbys or {},
        gone=gone or {},
        without=without or {},
    )
    return plan_return(change, then, lost or {})


def created(plan: AppPlan) -> list[tuple[str, str | None, str | None]]:
    return [(s.id, s.group, s.request.region) for s in plan.steps if isinstance(s, CreateMachine)]


def test_a_group_comes_back_in_all_its_regions_each_machine_by_a_name_of_its_own() -> None:
    places = {("worker", "ams"): 2, ("worker", "fra"): 1, ("worker", "iad"): 1}
    plan = returned(machine("a", config()), groups=places, lost={"worker": config("worker")})
    assert created(plan) == [
        ("create:worker:1", "worker", "ams"),
        ("create:worker:2", "worker", "ams"),
        ("create:worker:3", "worker", "fra"),
        ("create:worker:4", "worker", "iad"),
    ]


def test_a_group_of_which_nothing_is_known_keeps_no_other_from_coming_back() -> None:
    places = {("cron", "iad"): 1, ("worker", "iad"): 1}
    plan = returned(machine("a", config()), groups=places, lost={"worker": config("worker")})
    assert created(plan) == [("create:worker:1", "worker", "iad")]


def test_two_groups_that_come_back_share_no_volume() -> None:
    mounts = [models.FlyMachineMount(path="/data", name="data")]
    lost = {group: config(group, mounts=mounts) for group in ("cron", "worker")}
    plan = returned(
        machine("a", config()),
        groups={("cron", "iad"): 1, ("worker", "iad"): 1},
        lost=lost,
        volumes=(models.Volume(id="vol1", name="data", region="iad", size_gb=1, state="created"),),
    )
    had = [s.config.mounts for s in plan.steps if isinstance(s, CreateMachine)]
    assert [mount.volume for mounts in had for mount in mounts or []] == ["vol1", None]
    assert len([s for s in plan.steps if isinstance(s, CreateVolume)]) == 1


def test_standbys_come_back_behind_the_machines_that_they_stand_by() -> None:
    worker = config("worker")
    plan = returned(
        machine("a", config()),
        machine("w", worker),
        groups={("worker", "iad"): 3},
        standbys={("cron", "iad"): 1, ("worker", "iad"): 2},
        lost={"worker": worker},
    )
    made = [step for step in plan.steps if isinstance(step, CreateMachine) and step.standby_for]
    first, second = made
    assert [(step.id, step.group, step.role) for step in made] == [
        ("create:worker:4", "worker", "standby"),
        ("create:worker:5", "worker", "standby"),
    ]
    assert (first.standby_for, second.standby_for) == (
        (Ref(machine="w"),),
        (Ref(step="create:worker:1"),),
    )
    assert first.needs == second.needs == ("create:worker:3",)
    assert first.launch_id != second.launch_id
    request = first.request
    assert (request.region, request.skip_secrets, request.skip_launch) == ("iad", False, True)
    assert request.config is not None
    assert request.config.standbys == ["w"]
    metadata = request.config.metadata or {}
    assert (metadata[GROUP], metadata[RELEASE_VERSION]) == ("worker", "3")


def test_a_group_whose_machines_serve_gets_no_standbys() -> None:
    serving = config("worker", services=[models.FlyMachineService(internal_port=80)])
    lost = {"cron": config("cron"), "worker": serving}
    places = {("worker", "iad"): 1, ("zzz", "iad"): 1}
    plan = returned(groups={("worker", "iad"): 2}, standbys=places, lost=lost)
    assert [name for name, _, _ in created(plan)] == ["create:worker:1", "create:worker:2"]


def test_a_standby_without_a_machine_that_is_made_stands_by_one_that_is_there() -> None:
    plan = returned(
        machine("w", config("worker")),
        standbys={("worker", ""): 1},
        lost={"worker": config("worker")},
    )
    (standby,) = [step for step in plan.steps if isinstance(step, CreateMachine)]
    assert (standby.id, standby.needs) == ("create:worker:1", ("hold",))
    assert (standby.standby_for, standby.request.region) == ((Ref(machine="w"),), None)


def test_machines_that_come_on_volumes_say_in_whose_place() -> None:
    mounts = [models.FlyMachineMount(path="/data", name="data")]
    plan = returned(
        machine("a", config()),
        groups={("db", "iad"): 3},
        without={("db", "iad"): ("x", "y")},
        lost={"db": config("db", mounts=mounts)},
    )
    made = [step for step in plan.steps if isinstance(step, CreateMachine)]
    assert [(step.config.metadata or {}).get(STANDS_FOR) for step in made] == ["x.db", "y.db", None]
    assert all((step.config.metadata or {})[GROUP] == "db" for step in made)


def test_the_times_of_the_options_count_for_what_comes_back() -> None:
    plan = returned(
        groups={("worker", "iad"): 1}, lost={"worker": config("worker")}, wait_timeout=90.0
    )
    assert [s.timeout for s in plan.steps if isinstance(s, AwaitHealthy)] == [90.0]


def test_the_end_of_a_group_that_began_since_says_why() -> None:
    machines = (machine("a", config()), machine("b", config("worker")))
    members = {"a": Member(group="app", region="iad")}
    then = Then.of(
        ObservedApp(name="web", machines=machines),
        [Release(version=1), Release(version=2, members=members)],
        1,
    )
    assert then.gone == {"b": "release 1 had no group worker"}
    plan = returned(*machines, gone=then.gone)
    (end,) = [step for step in plan.steps if isinstance(step, DestroyMachine)]
    assert (end.target.machine, end.group, end.reason) == ("b", "worker", then.gone["b"])
    (held,) = [step for step in plan.steps if isinstance(step, HoldMachines)]
    assert held.machines == ("a", "b")


def test_what_an_interrupted_run_left_goes_and_gets_no_config() -> None:
    plan = returned(machine("a", config()), machine("x", config(marks={CANARY: "true"})))
    assert [step.machine for step in updates(plan)] == ["a"]
    assert [s.target.machine for s in plan.steps if isinstance(s, DestroyMachine)] == ["x"]


def test_an_earlier_run_is_finished_by_the_times_of_the_definition() -> None:
    spec = AppSpec(deploy=DeploySection(wait_timeout=Duration.parse("2m")))
    machines = machine("a", config()), machine("b", config(marks={STANDS_FOR: "a"}))
    for strategy, name in {
        "rolling": "update:b:healthy",
        "immediate": "replaced:a:healthy",
    }.items():
        plan = returned(*machines, definition=spec, strategy=strategy)
        waits = {step.id: step.timeout for step in plan.steps if isinstance(step, AwaitHealthy)}
        assert waits == {name: 120.0}


def test_a_release_tells_the_groups_that_its_machines_were_in() -> None:
    """Whatever the machine is called now: its group was renamed since."""
    observed = ObservedApp(name="web", machines=(machine("a", config("api")),))
    since = Release(version=2, members={"a": Member(group="web", region="iad")})
    then = Then.of(observed, [Release(version=1), since], 1)
    assert then.groups == {"a": "web"}
    assert (then.kept, dict(then.lost), then.gone) == (observed.machines, {}, {})


def test_a_canary_of_a_group_that_goes_ends_once() -> None:
    canary = machine("c", config("worker", marks={CANARY: "true"}))
    gone = dict.fromkeys(("w", "c"), "release 1 had no group worker")
    plan = returned(machine("a", config()), machine("w", config("worker")), canary, gone=gone)
    ends = [step for step in plan.steps if isinstance(step, DestroyMachine)]
    assert sorted(step.target.machine or "" for step in ends) == ["c", "w"]
