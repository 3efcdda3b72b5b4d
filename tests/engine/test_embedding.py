"""The engine inside another program, on either event loop."""

from __future__ import annotations

import json
import random
from pathlib import Path

import anyio
import pytest

from fly_emulator import Emulator, EmulatorSettings
from score_flyio.base.document import to_json
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.project import Overrides, Project
from score_flyio.engine.run import Run
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import (
    ConfigError,
    DeployError,
    EngineBusy,
    EngineNotOpen,
    HealthCheckFailed,
    ScoreFlyError,
)
from score_flyio.events import Event

SCORE = """
apiVersion: score.dev/v1b1
metadata:
  name: web
containers:
  main:
    image: nginx:1
    variables:
      UNHEALTHY: "0"
    readinessProbe:
      httpGet:
        path: /
        port: 8080
service:
  ports:
    web:
      port: 80
      targetPort: 8080
"""
QUICK = DeployOptions(smoke_checks=False, wait_timeout=1.0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def project(tmp_path: Path) -> Project:
    (tmp_path / "score.yaml").write_text(SCORE)
    (tmp_path / "production.yaml").write_text("containers: {main: {image: nginx:2}}\n")
    project = Project.open(tmp_path)
    await project.init("demo-")
    return project


@pytest.fixture
def fly() -> Emulator:
    return Emulator(EmulatorSettings(boot=0.01, healthy_after=0.01, first_check_after=0.0))


async def test_plan_deploy_events_and_report(project: Project, fly: Emulator) -> None:
    workloads = [project.load("score.yaml", Overrides(file="production.yaml"))]
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        plan = await engine.plan(workloads)
        assert "create app demo-web in organization personal" in plan.describe()
        assert not plan.empty
        async with engine.deploy(plan, QUICK) as run:
            seen = [event async for event in run.events]
        assert "web (app demo-web): done" in run.report.to_text()
        assert (await engine.plan(workloads)).empty
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    assert [seen[0].kind, seen[-1].kind] == ["run_started", "run_finished"]
    assert [m.config["image"] for m in fly.world.machines.values()] == ["nginx:2", "nginx:2"]
    assert "nginx:2" in (project.directory / "fly_web.toml").read_text()
    state = await project.at("emulator").read()
    assert state.deployments["demo-web"].releases[-1].version == 1


async def test_an_error_in_the_body_ends_the_run_and_comes_out_as_it_is(
    project: Project, fly: Emulator
) -> None:
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        run = engine.deploy([project.load("score.yaml")], QUICK)
        with pytest.raises(ZeroDivisionError):
            async with run:
                raise ZeroDivisionError
        assert run.report.outcome == "interrupted"


async def test_an_unhealthy_deploy_leaves_as_one_error_with_its_report(
    project: Project, fly: Emulator
) -> None:
    sick = project.load(
        "score.yaml", Overrides(properties=('containers.main.variables.UNHEALTHY="1"',))
    )
    async with Engine(
        project,
        target=EmulatorTarget(emulator=fly),
        rng=random.Random(1),
        write_files=False,
    ) as engine:
        with pytest.raises(HealthCheckFailed) as raised:
            async with engine.deploy([sick], QUICK):
                pass
    assert isinstance(raised.value, DeployError)
    assert raised.value.exit_code == 3
    assert raised.value.report.exit_code == 3
    assert not (project.directory / "fly_web.toml").exists()


async def test_one_run_at_a_time(project: Project, fly: Emulator) -> None:
    workloads = [project.load("score.yaml")]
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        first, second = engine.deploy(workloads, QUICK), engine.deploy(workloads, QUICK)
        async with first:
            with pytest.raises(EngineBusy, match="another run of this engine goes on"):
                async with second:
                    pass
            with pytest.raises(EngineBusy):
                await engine.plan(workloads)
            with pytest.raises(EngineBusy):
                await engine.scale("web", ScaleRequest(counts={None: 3}))
            assert await engine.status("web")
            told = [event.kind async for event in first.events if event.kind != "request_finished"]
        assert told[:2] == ["run_started", "target_selected"]
        assert told.count("target_selected") == told.count("run_finished") == 1
        assert first.report.outcome == "done"
        async with second:
            seen = [event async for event in second.events]
        assert seen[-1].kind == "run_finished"
        assert second.report.outcome == "unchanged"
        with pytest.raises(DeployError, match="the run is over"):
            async with second:
                pass
        with pytest.raises(EngineBusy, match="open already"):
            async with engine:
                pass


async def test_an_engine_that_is_not_open(project: Project, fly: Emulator) -> None:
    engine = Engine(project, target=EmulatorTarget(emulator=fly))
    for _ in range(2):
        with pytest.raises(EngineNotOpen):
            engine.deploy([project.load("score.yaml")])
        with pytest.raises(EngineNotOpen):
            await engine.status()
        async with engine:
            await engine.status()


async def test_workloads_are_those_of_the_target(project: Project, fly: Emulator) -> None:
    """Each target has its state: `web` was the app of that name, and `status` knew of none."""
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        async with engine.deploy([project.load("score.yaml")], QUICK):
            pass
        assert await engine.app("web") == AppRef(app="demo-web", workload="web")
        assert [app.app for app in (await engine.status()).apps] == ["demo-web"]
        await engine.allocate_address("web", "private_v6")


async def test_each_of_two_who_read_the_events_comes_to_the_end(
    project: Project, fly: Emulator
) -> None:
    seen: list[Event] = []

    async def read(run: Run) -> None:
        seen.extend([event async for event in run.events])

    async with (
        Engine(project, target=EmulatorTarget(emulator=fly)) as engine,
        engine.deploy([project.load("score.yaml")], QUICK) as run,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(read, run)
        tasks.start_soon(read, run)
    assert sorted(event.seq for event in seen) == list(range(1, len(seen) + 1))


async def test_a_group_of_errors_in_the_body_comes_out_as_it_is(
    project: Project, fly: Emulator
) -> None:
    mine = ExceptionGroup("mine", [ValueError("a"), ConfigError("b")])
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        with pytest.raises(ExceptionGroup) as raised:
            async with engine.deploy([project.load("score.yaml")], QUICK):
                raise mine
    assert raised.value is mine


async def test_a_run_that_could_not_begin_has_no_report(project: Project, fly: Emulator) -> None:
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        (project.directory / ".score-flyio" / "state.yaml").write_text("{")
        run = engine.deploy([project.load("score.yaml")], QUICK)
        with pytest.raises(ScoreFlyError):
            async with run:
                pass
        with pytest.raises(DeployError, match="before there was anything to report"):
            _ = run.report


async def cancelled_at_a_check(run: Run) -> None:
    async with run:
        async for event in run.events:
            if event.kind == "check_changed":
                run.cancel()
                run.cancel()


async def test_a_run_that_is_cancelled_accounts_for_itself(project: Project) -> None:
    slow = Emulator(EmulatorSettings(boot=0.01, healthy_after=60.0, first_check_after=0.0))
    async with Engine(project, target=EmulatorTarget(emulator=slow)) as engine:
        run = engine.deploy([project.load("score.yaml")], QUICK)
        with pytest.raises(DeployError, match="not ended"):
            _ = run.report
        with pytest.raises(DeployError, match="the same command goes on") as raised:
            await cancelled_at_a_check(run)
    report = run.report
    run.cancel()
    assert raised.value.report is run.report is report
    (app,) = report.apps
    assert (report.outcome, app.outcome, app.release) == ("interrupted", "interrupted", 1)
    assert app.account == "2 of 2 machines run release 1; the same command goes on from there"
    steps = [(step["description"], step["outcome"]) for step in to_json(app)["steps"]]
    assert [step for step in steps if step[0].startswith("wait")] == [
        (f"wait until machine {number} of 2 of group app is healthy", "interrupted")
        for number in (1, 2)
    ]
    assert all(outcome == "done" for words, outcome in steps if not words.startswith("wait"))
    assert [event async for event in run.events] == []


@pytest.mark.parametrize(
    "how", ["before it begins", "by an error", "by a deadline", "by a failure"]
)
async def test_run_finished_is_the_last_event(project: Project, fly: Emulator, how: str) -> None:
    workloads = [project.load("score.yaml")]
    seen: list[Event] = []
    async with Engine(project, target=EmulatorTarget(emulator=fly), listener=seen.append) as engine:
        run = engine.deploy(workloads, QUICK)
        if how == "before it begins":
            run.cancel()
        if how == "by a failure":
            (project.directory / ".score-flyio" / "state.yaml").write_text("{")
        with anyio.CancelScope() as scope:
            try:
                async with run:
                    if how == "by an error":
                        json.loads("no JSON")
                    if how == "by a deadline":
                        scope.cancel()
            except (ValueError, ScoreFlyError):
                pass
    kinds = [event.kind for event in seen]
    assert (kinds.count("run_finished"), kinds[-1]) == (1, "run_finished")
    assert [e async for e in run.events] == seen
    if how != "by a failure":
        assert run.report.outcome == "interrupted"
        assert [app.label for app in run.report.apps] == ["web"]


async def test_images_come_in_the_order_of_what_was_asked_for(
    project: Project, fly: Emulator
) -> None:
    names = [f"web-{number}" for number in range(12)]
    for name in names:
        (project.directory / f"{name}.yaml").write_text(SCORE.replace("name: web", f"name: {name}"))
    workloads = [project.load(f"{name}.yaml") for name in names]
    async with Engine(project, target=EmulatorTarget(emulator=fly)) as engine:
        built, failures = await engine.build(workloads, QUICK)
    assert (list(built), failures) == (names, {})
