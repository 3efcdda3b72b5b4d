"""A machine that grows, on a host that has no room for it."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.faults import parse_faults
from fly_emulator.records import MachineRecord
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.project import Project
from score_flyio.engine.run import Run
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
    (400, "no capacity"),
    (503, "unavailable: deploys to this host are temporarily disabled, please try again later"),
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


async def test_the_standby_of_one_that_moved_stands_by_for_it() -> None:
    lab = Lab.build(hosts_per_region=4, host_memory_mb=768)
    await lab.deploy(toml(SMALL, service=False))
    host = lab.fly.world.hosts[lab.machines()[0].host]
    host.used_mb = host.memory_mb
    for changes in (True, False):
        done = await lab.deploy(toml(LARGE, service=False))
        assert (done.code, bool(done.changes)) == (0, changes), done.text
    standby, primary = lab.machines()
    assert (primary.config.get("standbys"), standby.config["standbys"]) == (None, [primary.id])


def let_one_fall(lab: Lab) -> MachineRecord:
    """A machine that failed, on a host that has filled up since."""
    machine = lab.machines()[0]
    machine.state, machine.pending = "failed", None
    host = lab.fly.world.hosts[machine.host]
    host.memory_mb = host.used_mb - 1
    return machine


@pytest.mark.parametrize("plain", [False, True])
async def test_one_whose_host_has_no_room_for_its_start_moves(*, plain: bool) -> None:
    lab = Lab.build(hosts_per_region=4, capacity_plain=plain)
    await lab.deploy(toml())
    fallen = let_one_fall(lab)
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.code == 0, done.text
    assert any(call.status == 409 for call in done.of("Machines_start"))
    assert {machine.state for machine in lab.machines()} == {"started"}
    assert lab.images() == ["nginx:2", "nginx:2"]
    assert fallen.id not in {machine.id for machine in lab.machines()}
    lab.check_clean()
    assert (await lab.deploy(toml(image="nginx:2"))).changes == []


async def test_one_that_moved_for_its_start_goes_where_the_new_version_is_not_well() -> None:
    lab = Lab.build(hosts_per_region=4)
    await lab.deploy(toml())
    fallen = let_one_fall(lab)
    done = await lab.deploy(toml(image="nginx:2", env=UNHEALTHY))
    assert done.code == 3, done.text
    assert fallen.id in {machine.id for machine in lab.machines()}
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert lab.leased() == []


async def test_a_volume_pins_one_whose_start_finds_no_room_and_the_mend_is_told() -> None:
    lab = Lab.build(hosts_per_region=4)
    await lab.deploy(toml(VOLUME))
    let_one_fall(lab)
    done = await lab.deploy(toml(VOLUME, image="nginx:2"))
    assert "fork the volume to another host" in done.text


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


def fill(lab: Lab, *regions: str) -> None:
    """No more room there than is in use."""
    for host in lab.fly.world.hosts.values():
        if not regions or host.region in regions:
            host.memory_mb = host.used_mb


SPOKEN = [(status, text, None, plain) for status, text in REFUSALS for plain in (False, True)]
CODED = [
    (status, "refused", code, False)
    for status, code in (
        (412, "insufficient_capacity"),
        (422, "volume_placement"),
        (400, "volume_placement_capacity"),
    )
]


@pytest.mark.parametrize(("status", "text", "code", "plain"), [*SPOKEN, *CODED])
@pytest.mark.parametrize("more", ["", VOLUME], ids=["machine", "volume"])
async def test_a_full_region_sends_machines_and_volumes_to_a_fallback_region(
    more: str, status: int, text: str, code: str | None, plain: bool
) -> None:
    lab = Lab.build(
        hosts_per_region=4,
        capacity_status=status,
        capacity_text=text,
        capacity_code=code,
        capacity_plain=plain,
    )
    fill(lab, "iad")
    done = await lab.deploy(toml(more))
    assert done.code == 1
    assert "choose another region or a smaller size" in done.text
    options = evolve(QUICK, fallback_regions=("ord",))
    done = await lab.deploy(toml(more), options=options)
    assert done.code == 0, done.text
    assert {machine.region for machine in lab.machines()} == {"ord"}
    fill(lab, "ord")
    more_of_them = ScaleRequest(counts={"app": 3}, options=QUICK)
    async with lab.engine() as engine:
        with pytest.raises(DeployError, match="choose another region or a smaller size"):
            await engine.scale("web", more_of_them)
        options = evolve(QUICK, fallback_regions=("ams",))
        await engine.scale("web", evolve(more_of_them, options=options))
    assert len(lab.machines()) == 3
    assert {machine.region for machine in lab.machines()} == {"ord", "ams"}
    volumes = lab.fly.world.volumes.values()
    assert {volume.region for volume in volumes} == ({"ord", "ams"} if more else set())
    assert all(volume.attached_machine_id for volume in volumes)
    assert lab.leased() == []


@pytest.mark.parametrize("fallback", [(), ("ord",)])
@pytest.mark.parametrize("full", ["host", "region"])
async def test_a_new_volume_on_a_host_that_is_full_by_now_is_made_anew(
    full: str, fallback: tuple[str, ...]
) -> None:
    lab = Lab.build(hosts_per_region=4)

    async def take_the_room(_run: Run) -> None:
        for _ in range(100):
            if not lab.fly.world.volumes:
                await anyio.sleep(0.01)
        (volume,) = lab.fly.world.volumes.values()
        host = lab.fly.world.hosts[volume.host]
        host.memory_mb = 0
        fill(lab, *([host.region] if full == "region" else ["none"]))

    options = evolve(QUICK, fallback_regions=fallback)
    done = await lab.deploy(toml(VOLUME), options=options, body=take_the_room)
    kept = [v for v in lab.fly.world.volumes.values() if v.deleted_at is None]
    assert len(kept) == 1
    if full == "region" and not fallback:
        assert done.code == 1
        assert "choose another region or a smaller size" in done.text
        again = await lab.deploy(toml(VOLUME), options=options)
        told = f"volume {kept[0].id} keeps the new machine on its host, which is full"
        assert told in again.text
        assert "destroy it where nothing is on it" in again.text
        return
    assert done.code == 0, done.text
    (machine,) = lab.machines()
    assert kept[0].attached_machine_id == machine.id
    assert machine.region == ("iad" if full == "host" else "ord")
    lab.check_clean()


@pytest.mark.parametrize("by", ["deploy", "scale"])
async def test_a_volume_that_a_cut_short_run_made_in_a_fallback_region_is_used(by: str) -> None:
    lab = Lab.build(hosts_per_region=4)
    options = evolve(QUICK, fallback_regions=("ord",))
    if by == "scale":
        await lab.deploy(toml(VOLUME))
    there = {volume.id for volume in lab.fly.world.volumes.values()}
    rooms = {host.id: host.memory_mb for host in lab.fly.world.hosts.values()}
    fill(lab, "iad")

    async def run(faults: str) -> None:
        if by == "deploy":
            await lab.deploy(toml(VOLUME), options=options, faults=faults)
            return
        lab.fly.faults = parse_faults(faults)
        async with lab.engine() as engine:
            with suppress(DeployError):
                await engine.scale("web", ScaleRequest(counts={"app": 2}, options=options))

    await run("Machines_create: 400")
    (made,) = (v for v in lab.fly.world.volumes.values() if v.id not in there)
    assert (made.region, made.attached_machine_id) == ("ord", None)
    for host in lab.fly.world.hosts.values():
        host.memory_mb = rooms[host.id]
    await run("")
    lab.fly.advance()
    assert {v.id for v in lab.fly.world.volumes.values()} == {made.id, *there}
    assert made.attached_machine_id in {machine.id for machine in lab.machines()}


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


async def test_without_a_fallback_region_the_way_out_is_told() -> None:
    lab = Lab.build(hosts_per_region=4)
    fill(lab)
    done = await lab.deploy(toml(VOLUME))
    assert done.code == 1
    assert "choose another region or a smaller size" in done.text
