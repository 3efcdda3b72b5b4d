"""A machine that grows, on a host that has no room for it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from attrs import evolve

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
from tests.engine.lab import QUICK, Lab, toml

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


REFUSALS = [
    (409, "aborted: insufficient CPUs available to fulfill request on the current host"),
    (412, "insufficient IPs available"),
    (409, "insufficient memory"),
    (412, "could not find a candidate host"),
    (409, "could not reserve resource for your machine"),
]


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


async def test_the_standby_of_one_that_moved_stands_by_for_it_from_the_next_deploy_on() -> None:
    lab = Lab.build(hosts_per_region=4, host_memory_mb=768)
    await lab.deploy(toml(SMALL, service=False))
    host = lab.fly.world.hosts[lab.machines()[0].host]
    host.used_mb = host.memory_mb
    for changes in (True, True, False):
        done = await lab.deploy(toml(LARGE, service=False))
        assert (done.code, bool(done.changes)) == (0, changes), done.text
    standby, primary = lab.machines()
    assert (primary.config.get("standbys"), standby.config["standbys"]) == (None, [primary.id])


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


@pytest.mark.parametrize(("status", "text"), REFUSALS)
@pytest.mark.parametrize("plain", [False, True])
async def test_every_refusal_for_want_of_room_moves_it(status: int, text: str, plain: bool) -> None:
    settings = evolve(SETTINGS, capacity_status=status, capacity_text=text, capacity_plain=plain)
    async with Emulator(settings, clock=EventLoopClock()) as emulator:
        await grow(emulator)
        sizes = [machine.config["guest"]["memory_mb"] for machine in living(emulator)]
        assert sizes == [768, 768]


@pytest.mark.parametrize("more", ["", VOLUME])
async def test_a_full_region_sends_machines_and_volumes_to_a_fallback_region(more: str) -> None:
    lab = Lab.build(hosts_per_region=4)
    for host in lab.fly.world.hosts.values():
        if host.region == "iad":
            host.memory_mb = 0
    options = evolve(QUICK, fallback_regions=("ord",))
    done = await lab.deploy(toml(more), options=options)
    assert done.code == 0, done.text
    assert {machine.region for machine in lab.machines()} == {"ord"}
    assert {volume.region for volume in lab.fly.world.volumes.values()} == (
        {"ord"} if more else set()
    )
    lab.check_clean()


@pytest.mark.parametrize("code", ["", "volume_placement", "volume_placement_capacity"])
@pytest.mark.parametrize("strategy", ["rolling", "bluegreen", "canary"])
async def test_whatever_takes_a_place_goes_to_a_fallback_region(
    lab: Lab, strategy: str, code: str
) -> None:
    """Machines that grow, greens and canaries, in a region that is full."""
    lab = Lab.build(
        hosts_per_region=4, capacity_code=code or None, capacity_text="refused" if code else None
    )
    await lab.deploy(toml(strategy=strategy))
    fill(lab, "iad")
    larger = toml(LARGE, strategy=strategy)
    assert (await lab.deploy(larger)).code == 1
    assert [(m.region, m.config["guest"]["memory_mb"]) for m in lab.machines()] == [
        ("iad", 256)
    ] * 2
    options = evolve(QUICK, fallback_regions=("ord",))
    done = await lab.deploy(larger, options=options)
    assert done.code == 0, done.text
    assert [(m.region, m.config["guest"]["memory_mb"]) for m in lab.machines()] == [
        ("ord", 768)
    ] * 2
    assert lab.leased() == []
    assert (await lab.deploy(larger, options=options)).changes == []


async def test_what_replaces_a_machine_on_a_lost_host_goes_to_a_fallback_region(lab: Lab) -> None:
    await lab.deploy(toml())
    first, _ = lab.machines()
    lab.fly.world.hosts[first.host].status = "unreachable"
    fill(lab, "iad")
    done = await lab.deploy(toml(image="nginx:2"), options=evolve(QUICK, fallback_regions=("ord",)))
    assert done.code == 0, done.text
    assert {m.region for m in lab.machines() if m.id != first.id} == {"iad", "ord"}


def fill(lab: Lab, region: str) -> None:
    for host in lab.fly.world.hosts.values():
        if host.region == region:
            host.used_mb = host.memory_mb


async def test_without_a_fallback_region_the_way_out_is_told() -> None:
    lab = Lab.build(hosts_per_region=4)
    for host in lab.fly.world.hosts.values():
        host.memory_mb = 0
    done = await lab.deploy(toml(VOLUME))
    assert done.code == 1
    assert "choose another region or a smaller size" in done.text
