"""An instance whose machine goes begins again with its data."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import Any

import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, lifecycle
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.secret import Secret
from score_flyio.engine.target import EmulatorTarget
from score_flyio.resources.provisioner import ProvisionRequest
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.servers.attempt import Attempt
from score_flyio.score.resources import ResourceUid
from tests.unit.resources.servers.test_health import SERVER
from tests.unit.resources.servers.test_new_app import personal


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.mark.parametrize("listed", [True, False])
async def test_the_volume_of_a_machine_that_goes_is_waited_for(*, listed: bool) -> None:
    settings = EmulatorSettings(destroy=20.0, lists_those_that_go=listed)
    async with Emulator(settings, clock=EventLoopClock()) as fly:
        target = EmulatorTarget(emulator=fly)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            attempt = Attempt(
                request=ProvisionRequest(uid=ResourceUid("pg", "default", "x"), guid="guid"),
                access=FlyAccess(
                    connect=lambda: nullcontext(client), region="iad", organization=personal
                ),
                server=SERVER,
                app="pg",
                password=Secret("dummy"),
                known=True,
            )
            async with attempt.connected(lambda: None):
                await attempt.instance(complete=False)
                (machine,) = fly.world.machines.values()
                lifecycle.destroy(fly.world, machine, EventLoopClock().time())
                await attempt.instance(complete=False)
        (volume,) = fly.world.volumes.values()
        (living,) = [m for m in fly.world.machines.values() if not m.destroyed]
        assert volume.attached_machine_id == living.id != machine.id
