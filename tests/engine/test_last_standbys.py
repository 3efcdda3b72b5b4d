"""Standbys that are all that is left of their group, since others destroyed what they stood by for."""

from __future__ import annotations

import pytest
from attrs import evolve

from fly_emulator import lifecycle
from fly_emulator.records import MachineRecord
from score_flyio import ScaleRequest, Secret
from score_flyio.deploy.options import GuestOptions
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_counts import GROUPS, scale_to, somebody_destroys

MOUNTS = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
GONE = "148e000000000a"


async def _last_of_worker(lab: Lab, *, runs: bool) -> MachineRecord:
    """The standby of group worker, which has nothing else, and had one version more."""
    await lab.deploy(toml(GROUPS))
    await lab.deploy(toml(GROUPS, env="A = '2'"))
    first, standby = sorted(lab.machines(group="worker"), key=lambda m: "standbys" in m.config)
    if runs:
        lifecycle.host_failed(lab.fly.world, first.host, lab.clock.time())
        lab.fly.advance()
        lifecycle.host_recovered(lab.fly.world, first.host)
        assert standby.state in {"starting", "started"}
    somebody_destroys(lab, lab.machines(group="worker").index(first), "worker")
    return standby


@pytest.mark.parametrize("strategy", ["rolling", "canary"])
async def test_one_that_runs_serves_on_as_a_member_of_its_group(lab: Lab, strategy: str) -> None:
    standby = await _last_of_worker(lab, runs=True)
    new = toml(GROUPS, env="A = '2'", image="nginx:3", strategy=strategy)
    done = await lab.deploy(new)
    assert done.code == 0, done.text
    (left,) = lab.machines(group="worker")
    assert (left.id, left.state) == (standby.id, "started")
    assert not left.config.get("standbys")
    assert "FLY_STANDBY_FOR" not in left.config["env"]
    assert (await lab.deploy(new)).changes == []
    lab.check_clean()


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize("command", ["secrets", "rollback", "size", "scale app", "update only"])
async def test_no_operation_ends_a_group_of_which_nothing_else_is_left(
    lab: Lab, command: str, *, runs: bool
) -> None:
    standby = await _last_of_worker(lab, runs=runs)
    async with lab.engine() as engine:
        match command:
            case "secrets":
                await engine.change_secrets("web", {"TOKEN": Secret("s3cr3t-one")}, options=QUICK)
            case "rollback":
                await engine.rollback("web", options=QUICK)
            case "size":
                size = GuestOptions(memory="512mb")
                await engine.scale("web", ScaleRequest(guest=size, options=QUICK))
            case "scale app":
                await engine.scale("web", ScaleRequest(counts={"app": 3}, options=QUICK))
            case _:
                only = evolve(QUICK, update_only=True)
                await lab.deploy(toml(GROUPS, env="A = '3'"), options=only)
    assert [m.id for m in lab.machines(group="worker")] == [standby.id]
    done = await lab.deploy(toml(GROUPS, env="A = '2'"))
    assert done.code == 0, done.text
    assert len(lab.machines(group="worker")) == (1 if runs else 2)
    assert lab.leased() == []


async def test_a_scale_of_its_group_begins_anew(lab: Lab) -> None:
    standby = await _last_of_worker(lab, runs=False)
    await scale_to(lab, worker=1)
    (new,) = lab.machines(group="worker")
    assert (new.id != standby.id, new.state) == (True, "started")
    assert not new.config.get("standbys")


async def test_what_takes_the_place_of_one_on_a_lost_host_runs(lab: Lab) -> None:
    """The host does not even show that it is a standby."""
    standby = await _last_of_worker(lab, runs=False)
    lab.fly.world.hosts[standby.host].status = "unreachable"
    done = await lab.deploy(toml(GROUPS, env="A = '2'"))
    assert done.code == 0, done.text
    (new,) = lab.machines(group="worker")
    assert (new.id != standby.id, new.state) == (True, "started")
    assert not new.config.get("standbys")


async def test_an_update_keeps_the_variable_that_names_what_it_stands_by_for(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS))
    await lab.deploy(toml(GROUPS, env="A = '2'"))
    first, standby = sorted(lab.machines(group="worker"), key=lambda m: "standbys" in m.config)
    assert standby.config["env"]["FLY_STANDBY_FOR"] == first.id
    assert (await lab.deploy(toml(GROUPS, env="A = '2'"))).changes == []


@pytest.mark.parametrize("image", ["nginx:1", "nginx:2"])
async def test_the_data_of_one_goes_on(lab: Lab, image: str) -> None:
    """A group that begins anew has a new, empty volume."""
    await lab.deploy(toml(MOUNTS))
    (standby,) = lab.machines()
    standby.config["standbys"] = [GONE]
    standby.config.pop("services", None)
    standby.state = "stopped"
    done = await lab.deploy(toml(MOUNTS, image=image, service=False))
    assert done.code == 0, done.text
    (left,) = lab.machines()
    assert (left.id, left.state) == (standby.id, "started")
    assert not left.config.get("standbys")
    assert len(lab.fly.world.volumes) == 1
