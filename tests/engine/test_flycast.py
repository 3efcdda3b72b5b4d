"""A workload that another one reaches through the proxy gets the private address for it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from fly_emulator import Emulator, EmulatorSettings
from score_flyio.base.clock import EventLoopClock
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import ScoreApp
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ProvisionerDefinition, StaticSpec
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK

SETTINGS = EmulatorSettings(boot=0.1, healthy_after=0.1)
PORT = {"service": {"ports": {"http": {"port": 80, "targetPort": 8080}}}}
CART = {"resources": {"cart": {"type": "service", "class": "flycast", "id": "cart"}}}


def workload(name: str, **more: Any) -> ScoreApp:
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": name},
        "containers": {"main": {"image": "nginx"}},
    }
    return ScoreApp.from_document(document | more, f"{name}.yaml")


@pytest.mark.parametrize("first", ["cart", "web"])
async def test_the_private_address_is_made_in_either_order(first: str) -> None:
    apps = [workload("cart", **PORT), workload("web", **CART)]
    state = ProjectState.new("p-")
    state.provisioners = (
        ProvisionerDefinition(id="s", resource_type="service", spec=StaticSpec(values={"a": "b"})),
    )
    clock = EventLoopClock()
    async with Emulator(SETTINGS, clock=clock) as emulator:
        project = Project(Path(), InMemoryStore(state))
        target = EmulatorTarget(emulator=emulator)
        async with Engine(
            project, target=target, clock=clock, rng=random.Random(1), write_files=False
        ) as engine:
            for app in sorted(apps, key=lambda each: each.workload != first):
                async with engine.deploy([app], QUICK):
                    pass
            async with engine.deploy(apps, QUICK):
                pass
            assert (await engine.plan(apps, QUICK)).empty
        kinds = {app.name: [ip.type for ip in app.ips] for app in emulator.world.apps.values()}
    assert kinds == {"p-cart": ["private_v6"], "p-web": []}
