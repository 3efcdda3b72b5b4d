"""Machines that others take the place of, in a run that was cut short before the old ones went."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy

import pytest
from attrs import evolve

from score_flyio.deploy.step import AwaitHealthy
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.scale import ScaleRequest, scale
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_beside_flyctl import Flyctl
from tests.engine.test_operations import KEEP, VOLUME, WEB, visit

AGREED = evolve(KEEP, allow_destructive=True)
OLD_ONES_STAY = "Machines_delete:422 times=2"
MOUNTED = toml(VOLUME, image="nginx:2", service=False)


def mounted_in(group: str) -> FlyTomlApp:
    groups = "[processes]\napp = 'serve'\nworker = 'work'\n"
    return toml(f'{groups}{VOLUME}processes = ["{group}"]\n', service=False)


async def deployed_by(lab: Lab, strategy: str) -> None:
    """With bluegreen, the machines carry the tag of their deploy from then on."""
    await lab.deploy(toml(service=False), options=evolve(QUICK, ha=False))
    await lab.deploy(toml(service=False, image="nginx:2", strategy=strategy))


async def cut_short(lab: Lab) -> set[str]:
    """The replacements of a run that left the old machines, too."""
    before = {machine.id for machine in lab.machines()}
    assert (await lab.deploy(MOUNTED, options=AGREED, faults=OLD_ONES_STAY)).code == 1
    there = {machine.id for machine in lab.machines()}
    assert before < there
    return there - before


@pytest.mark.parametrize("strategy", ["rolling", "bluegreen"])
async def test_a_replacement_is_used_whatever_strategy_came_before(lab: Lab, strategy: str) -> None:
    """Its copied tag must not make it a green machine that never served."""
    await deployed_by(lab, strategy)
    made = await cut_short(lab)
    again = await lab.deploy(MOUNTED, options=AGREED)
    assert (again.code, again.of("Machines_create")) == (0, []), again.text
    assert {machine.id for machine in lab.machines()} == made
    assert len(lab.fly.world.volumes) == 1
    assert (await lab.deploy(MOUNTED)).changes == []


@pytest.mark.parametrize("strategy", ["rolling", "bluegreen"])
async def test_one_that_moved_to_another_host_is_used_whatever_strategy_came_before(
    strategy: str,
) -> None:
    lab = Lab.build(hosts_per_region=4)
    await deployed_by(lab, strategy)
    larger = toml('[[vm]]\nmemory = "512mb"', service=False, image="nginx:2")
    (old,) = lab.machines()
    host = lab.fly.world.hosts[old.host]
    host.memory_mb = host.used_mb
    await lab.deploy(larger, options=AGREED, faults=OLD_ONES_STAY)
    (new,) = (machine for machine in lab.machines() if machine is not old)
    again = await lab.deploy(larger, options=AGREED)
    assert (again.code, again.of("Machines_create")) == (0, []), again.text
    assert [machine.id for machine in lab.machines()] == [new.id]


async def test_a_clone_of_a_replacement_never_takes_the_place_of_the_machine_with_the_data(
    lab: Lab,
) -> None:
    """That one made way for the replacement, and went on in the group that it is cloned into."""
    await lab.deploy(mounted_in("app"), options=evolve(QUICK, ha=False))
    after = mounted_in("worker")
    await lab.deploy(after, options=AGREED)
    (volume,) = (v.id for v in lab.fly.world.volumes.values())
    (replacement,) = lab.machines(group="app")
    config = deepcopy(replacement.config)
    config["metadata"]["fly_process_group"] = "worker"
    await Flyctl(lab).call("POST", "", {"config": config, "region": "iad"})
    done = await lab.deploy(after, options=AGREED)
    assert done.code == 0, done.text
    mounted = [m["volume"] for w in lab.machines(group="worker") for m in w.config["mounts"]]
    assert (len(mounted), volume in mounted) == (2, True)
    assert (await lab.deploy(after)).changes == []


async def test_what_moves_into_a_place_is_waited_for_once(lab: Lab) -> None:
    """Whoever waits and finds it at rest starts it, and no two changes of a machine may meet."""
    await lab.deploy(mounted_in("app"), options=evolve(QUICK, ha=False))
    async with lab.engine() as engine:
        (plan,) = (await engine.plan([mounted_in("worker")], AGREED)).apps
    waits = Counter(step.target for step in plan.steps if isinstance(step, AwaitHealthy))
    assert waits
    assert set(waits.values()) == {1}


async def test_a_scale_names_the_volumes_that_it_leaves(lab: Lab) -> None:
    await lab.deploy(toml(VOLUME, service=False))
    (volume,) = lab.fly.world.volumes
    async with visit(lab) as session:
        change = await scale(session, WEB, ScaleRequest(counts={"app": 0}, options=KEEP))
    (machine,) = change.destroys
    stays = f"volume {volume} (data, 1 GB, iad) of machine {machine} stays, in no machine"
    assert [note for note in change.plan.notes if volume in note] == [f"{stays}, and is billed"]


async def test_a_scale_that_finishes_a_replacement_names_the_volume_of_the_old_machine(
    lab: Lab,
) -> None:
    await lab.deploy(toml(VOLUME, service=False))
    (volume,) = lab.fly.world.volumes
    bare = toml(service=False)
    await lab.deploy(bare, options=AGREED, faults=OLD_ONES_STAY)
    assert len(lab.machines()) == 2
    async with visit(lab) as session:
        request = ScaleRequest(counts={"app": 2}, options=KEEP)
        change = await scale(session, WEB, request)
    assert any(volume in note for note in change.plan.notes), change.plan.notes
    assert len(lab.machines()) == 2
