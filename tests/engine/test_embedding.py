"""The engine inside another program, on either event loop."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fly_emulator import Emulator, EmulatorSettings
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.project import Overrides, Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import DeployError, HealthCheckFailed

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
