"""An instance whose machine goes begins again with its data."""

from __future__ import annotations

import random
from typing import Any

import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, lifecycle
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.secret import Secret
from score_flyio.engine.target import EmulatorTarget
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.servers.instance import Instance
from tests.unit.resources.servers.test_health import SERVER


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def unreachable() -> Any:
    raise NotImplementedError


@pytest.mark.parametrize("listed", [True, False])
async def test_the_volume_of_a_machine_that_goes_is_waited_for(*, listed: bool) -> None:
    settings = EmulatorSettings(destroy=20.0, lists_those_that_go=listed)
    async with Emulator(settings, clock=EventLoopClock()) as fly:
        target = EmulatorTarget(emulator=fly)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            instance = Instance(
                client=client,
                access=FlyAccess(connect=unreachable, region="iad"),
                server=SERVER,
                app="pg",
                password=Secret("dummy"),
                known=True,
                begun=lambda: None,
            )
            await instance.make(None)
            (machine,) = fly.world.machines.values()
            lifecycle.destroy(fly.world, machine, EventLoopClock().time())
            await instance.make(await instance.find())
        (volume,) = fly.world.volumes.values()
        (living,) = [m for m in fly.world.machines.values() if not m.destroyed]
        assert volume.attached_machine_id == living.id != machine.id
