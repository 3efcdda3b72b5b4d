"""An instance whose app was made a moment ago, and is not known everywhere."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import Any

import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.record import evolve
from score_flyio.base.secret import Secret
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import ProvisionFailed
from score_flyio.resources.provisioner import ProvisionRequest
from score_flyio.resources.servers.access import FlyAccess
from score_flyio.resources.servers.attempt import Attempt
from score_flyio.resources.servers.description import Server
from score_flyio.score.resources import ResourceUid
from tests.unit.resources.servers.test_health import SERVER


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def personal(_client: Any) -> str:
    return "personal"


async def make(faults: str = "", *, server: Server = SERVER, **settings: Any) -> Emulator:
    """Makes an instance, whose app is new; gives what it was made on."""
    clock = EventLoopClock()
    async with Emulator(EmulatorSettings(**settings), clock=clock) as fly:
        fly.faults = parse_faults(faults)
        target = EmulatorTarget(emulator=fly)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            attempt = Attempt(
                request=ProvisionRequest(uid=ResourceUid("pg", "default", "x"), guid="guid"),
                access=FlyAccess(
                    connect=lambda: nullcontext(client), region="iad", organization=personal
                ),
                server=server,
                app="pg",
                password=Secret("dummy"),
                known=True,
            )
            async with attempt.connected(lambda: None):
                await attempt.instance(complete=False)
        return fly


@pytest.mark.parametrize("below", [404, 401, 400])
async def test_what_lies_below_it_is_waited_for(below: int) -> None:
    fly = await make(unknown_below=8.0, below_missing_app=below)
    (machine,) = fly.world.machines.values()
    (volume,) = fly.world.volumes.values()
    assert volume.attached_machine_id == machine.id
    assert [ip.type for ip in fly.world.apps["pg"].ips] == ["private_v6"]


LOOKS = ("App_IPAssignments_list", "Machines_list", "Volumes_list", "Machines_show")


@pytest.mark.parametrize("status", [401, 404])
@pytest.mark.parametrize("look", [*LOOKS, "Machines_wait"])
async def test_a_look_that_is_refused_in_passing_is_made_again(look: str, status: int) -> None:
    fly = await make(f"{look}: {status} times=2")
    assert len(fly.world.machines) == 1


async def test_an_image_that_is_not_there_is_told_at_once() -> None:
    began = EventLoopClock().time()
    with pytest.raises(ProvisionFailed, match="manifest not found"):
        await make(missing_images=frozenset({SERVER.image}))
    assert EventLoopClock().time() - began < 10


async def test_a_machine_that_cannot_start_is_told_as_such() -> None:
    broken = evolve(SERVER, env={"EMULATE_START": "fail"})
    with pytest.raises(ProvisionFailed, match="it is failed"):
        await make(server=broken)
