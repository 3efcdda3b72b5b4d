"""Watching machines: one that never gets well hides no other."""

from __future__ import annotations

import random

import anyio
import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.health import HealthWatch
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import HealthCheckFailed
from score_flyio.events import Scope

SETTINGS = EmulatorSettings(boot=0.5, healthy_after=1.0, latency=0.05)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def request(*, well: bool) -> models.CreateMachineRequest:
    check = models.FlyMachineCheck(type="tcp", port=8080)
    config = models.FlyMachineConfig(
        image="x", checks={"alive": check}, env={} if well else {"UNHEALTHY": "1"}
    )
    return models.CreateMachineRequest(config=config, region="iad")


async def test_a_sick_machine_does_not_hide_that_another_is_well() -> None:
    ended: dict[str, float] = {}
    async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
        target = EmulatorTarget(emulator=emulator)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            app = models.CreateAppRequest(name="web", org_slug="personal")
            await client.api.apps_create(app, wait=True)
            watch = HealthWatch(client=client, app="web", emit=lambda _: None, scope=Scope())

            async def follow(name: str, machine: models.Machine) -> None:
                try:
                    await watch.healthy(
                        machine.id or "",
                        group="app",
                        instance_id=machine.instance_id,
                        since=anyio.current_time(),
                        within=60,
                        checks=True,
                        start=anyio.lowlevel.checkpoint,
                    )
                except HealthCheckFailed:
                    name = f"{name} failed"
                ended[name] = anyio.current_time() - start

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(watch.run)
                sick = await client.api.machines_create("web", request(well=False))
                well = await client.api.machines_create("web", request(well=True))
                start = anyio.current_time()
                async with anyio.create_task_group() as followers:
                    followers.start_soon(follow, "sick", sick)
                    await anyio.sleep(0.2)
                    followers.start_soon(follow, "well", well)
                tasks.cancel_scope.cancel()
    assert ended["well"] < 10
    assert ended["sick failed"] >= 60
