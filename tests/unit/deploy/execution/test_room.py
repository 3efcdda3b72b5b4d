"""Asking for room before many machines are created."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.context import ContextSettings
from score_flyio.deploy.execution.room import ask_for_room, questions
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.step import CreateMachine
from score_flyio.engine.target import EmulatorTarget
from score_flyio.events import Event, WarningRaised
from score_flyio.state.deployments import SecretRecord


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def creates(count: int, region: str = "iad", memory: int = 1024) -> list[CreateMachine]:
    guest = models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=memory)
    request = models.CreateMachineRequest(
        config=models.FlyMachineConfig(image="x", guest=guest), region=region
    )
    return [
        CreateMachine(
            id=f"{region}:{number}",
            group="app",
            request=request,
            launch_id=str(number),
            number=number,
            of=count,
        )
        for number in range(count)
    ]


def test_only_many_machines_of_one_size_and_region_are_asked_for() -> None:
    assert questions(creates(9)) == ()
    assert questions([*creates(6), *creates(6, "ams")]) == ()
    asked = questions([*creates(12), *creates(10, "ams")])
    assert [(q.region, q.count) for q in asked] == [("iad", 12), ("ams", 10)]


async def unneeded(app: str, records: Mapping[str, SecretRecord]) -> None:
    raise NotImplementedError


async def personal() -> str:
    return "personal"


async def warnings(steps: list[CreateMachine], faults: str = "") -> list[str]:
    heard: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, WarningRaised):
            heard.append(event.message)

    settings = EmulatorSettings(region_hosts={"iad": 1}, host_memory_mb=10_240)
    found = parse_faults(faults, 1) if faults else None
    async with Emulator(settings, clock=EventLoopClock(), faults=found) as emulator:
        target = EmulatorTarget(emulator=emulator)
        async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
            context = ContextSettings(
                client=client,
                app="web",
                label="web",
                options=DeployOptions(),
                secrets_set=unneeded,
                emit=hear,
            )
            await ask_for_room(context, steps, personal)
    return heard


async def test_room_for_all_is_no_matter() -> None:
    assert await warnings(creates(10)) == []


async def test_too_little_room_is_told_before_the_creates() -> None:
    (warning,) = await warnings(creates(11))
    assert "region iad" in warning
    assert "11 new machines" in warning
    assert "fewer of them" in warning


async def test_an_answer_that_never_comes_holds_nothing_up() -> None:
    assert await warnings(creates(11), "Platform_placements_post: hang p=1") == []
