"""The machine of an instance is started where it rests, as soon as the platform lets it."""

from __future__ import annotations

import random
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.engine.target import EmulatorTarget
from score_flyio.resources.servers.description import Server, Volume
from score_flyio.resources.servers.health import until_healthy
from score_flyio.resources.servers.instance import machine_request

SERVER = Server(
    name="postgres",
    app="pg",
    image="postgres:17",
    port=5432,
    password=("OPERATOR_PASSWORD",),
    volume=Volume(name="pg_data", path="/data"),
)


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_a_machine_that_an_update_left_stopped_is_started() -> None:
    settings = EmulatorSettings(busy_after_update=25.0, volume_ready=0.0)
    async with Emulator(settings, clock=EventLoopClock()) as fly:
        target = EmulatorTarget(emulator=fly)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            api = client.api
            await api.apps_create(models.CreateAppRequest(name="pg", org_slug="personal"))
            volume = await api.volumes_create(
                "pg", models.CreateVolumeRequest(name="pg_data", region="iad", size_gb=1)
            )
            request = machine_request(SERVER, "iad", volume.id or "", None)
            machine = await api.machines_create("pg", request)
            await api.machines_wait("pg", machine.id or "", state=["started"])
            await api.machines_stop("pg", machine.id or "", models.StopRequest())
            await anyio.sleep(1)
            update = models.UpdateMachineRequest(config=machine.config)
            await api.machines_update("pg", machine.id or "", update)
            await anyio.sleep(1)
            found = await until_healthy(api, "pg", machine.id or "")
        assert found.state == "started"
        starts = [e.status for e in fly.journal.entries if e.operation == "Machines_start"]
        assert (starts[0], starts[-1]) == (412, 200)
