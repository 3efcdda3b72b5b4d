"""After flyctl has deployed, there is nothing to change: its recorded machines meet our plan."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from fly_machines import models
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.model import DesiredApp, KnownApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import PlanSettings
from score_flyio.deploy.planning.plan import plan_app
from score_flyio.fly.codec import structure
from score_flyio.flytoml.document import read_fly_toml
from tests.conftest import corpus

HERE = Path(__file__).parent


def deploys(config: pytest.Config) -> dict[str, dict[str, Any]]:
    """Conversations that end with a deploy that went well."""
    marks = ("rolling-*.json", "first-deploy-*.json")
    folder = corpus(config, HERE / "transcripts", *marks)
    documents = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    return {
        name: document
        for name, document in documents.items()
        if "exchanges" in document
        and document["commands"][-1][1] == "deploy"
        and document["exit_codes"][-1] == 0
        and "--image" in document["commands"][-1]
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "deployed" in metafunc.fixturenames:
        found = deploys(metafunc.config)
        metafunc.parametrize("deployed", list(found.items()), ids=list(found))


def machines_left(document: dict[str, Any], image: str) -> dict[str, models.Machine]:
    """The machines as flyctl's own requests leave them; the image as its mirror names it."""
    left: dict[str, models.Machine] = {}
    for exchange in document["exchanges"]:
        if exchange["interface"] != "machines" or exchange["status"] >= 300:
            continue
        parts = exchange["path"].split("/")
        if exchange["method"] == "DELETE" and len(parts) == 6:
            left.pop(parts[5], None)
        made = exchange["method"] == "POST" and len(parts) in {5, 6} and parts[4] == "machines"
        if made and (exchange["request"] or {}).get("config"):
            answer = exchange["response"]
            config = structure(exchange["request"]["config"], models.FlyMachineConfig)
            config.image = image
            left[answer["id"]] = models.Machine(
                id=answer["id"],
                instance_id=answer["instance_id"],
                state="stopped" if exchange["request"].get("skip_launch") else "started",
                region=answer["region"],
                config=config,
                checks=[
                    models.CheckStatus(name=f"servicecheck-{number}", status="passing")
                    for service in config.services or []
                    for number, _ in enumerate(service.checks or [])
                ],
            )
    return {
        machine_id: machine
        for machine_id, machine in left.items()
        if ((machine.config and machine.config.metadata) or {}).get("fly_process_group")
        != "fly_app_release_command"
    }


def test_nothing_changes_after_flyctl(deployed: tuple[str, dict[str, Any]]) -> None:
    name, document = deployed
    command = document["commands"][-1]
    image = command[command.index("--image") + 1]
    mirrored = f"docker-hub-mirror.fly.io/library/{image}@sha256:{'0' * 64}"
    machines = machines_left(document, mirrored)
    assert machines
    file = command[command.index("-c") + 1] if "-c" in command else "fly.toml"
    spec = read_fly_toml(document["files"][file], file=file).spec
    assert spec is not None
    desired = DesiredApp(name=name, org="personal", spec=spec, image=image, files=NO_FILES)
    observed = ObservedApp(
        name=name,
        app=models.App(name=name, status="deployed", machine_count=len(machines)),
        machines=tuple(machines.values()),
        addresses=(models.IPAssignment(ip="2a09:8280:1::1"),),
    )
    numbers = itertools.count()
    settings = PlanSettings(
        options=DeployOptions(),
        known=KnownApp(),
        new_id=lambda: f"id{next(numbers)}",
        tool_version="test",
    )
    plan = plan_app(desired, observed, settings)
    assert [step.describe() for step in plan.steps] == []
    assert set(plan.unchanged) == set(machines)
