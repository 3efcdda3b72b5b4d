"""A machine that grows, on a host that has no room for it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.records import MachineRecord
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import DeployError
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, toml

SETTINGS = EmulatorSettings(
    boot=0.1, healthy_after=0.1, hosts_per_region=4, host_memory_mb=768, rate_limits=False
)
SMALL, LARGE = '[[vm]]\nmemory = "512mb"', '[[vm]]\nmemory = "768mb"'
GOING = {"destroying", "destroyed"}
VOLUME = '\n[[mounts]]\nsource = "data"\ndestination = "/data"'
UNHEALTHY = "UNHEALTHY = '1'"


def living(emulator: Emulator) -> list[MachineRecord]:
    machines = emulator.world.machines.values()
    return [machine for machine in machines if machine.state not in GOING]


async def grow(emulator: Emulator, *, more: str = "", env: str = "A = '1'") -> None:
    """Two machines, each sharing its host with another app's, then a larger size."""
    project = Project(Path(), InMemoryStore(ProjectState.new("")))
    target = EmulatorTarget(emulator=emulator)
    async with Engine(
        project, target=target, clock=emulator.clock, rng=random.Random(1), write_files=False
    ) as engine:

        async def deploy(text: str, env: str, options: DeployOptions = QUICK) -> None:
            async with engine.deploy([toml(text + more, env=env)], options):
                pass

        await deploy(SMALL, "A = '1'")
        for machine in living(emulator):
            host = emulator.world.hosts[machine.host]
            host.used_mb = host.memory_mb
        await deploy(LARGE, env)
        plan = await engine.plan([toml(LARGE + more, env=env)], QUICK)
        assert plan.empty, plan.describe()


async def test_it_moves_to_a_host_with_room() -> None:
    async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
        await grow(emulator)
        sizes = [machine.config["guest"]["memory_mb"] for machine in living(emulator)]
        assert sizes == [768, 768]
        assert all(machine.lease is None for machine in living(emulator))


async def test_a_volume_pins_it_and_the_mend_is_told() -> None:
    async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
        with pytest.raises(DeployError, match="fork the volume to another host"):
            await grow(emulator, more=VOLUME)
        assert [machine.config["guest"]["memory_mb"] for machine in living(emulator)] == [512]


async def test_one_that_moved_and_is_not_well_goes_and_the_old_one_stays() -> None:
    async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
        with pytest.raises(DeployError):
            await grow(emulator, env=UNHEALTHY)
        left = living(emulator)
        assert [machine.config["guest"]["memory_mb"] for machine in left] == [512, 512]
        assert [machine.state for machine in left] == ["started", "started"]
