"""How many machines there are is for people to say, whoever deploys next and whatever it knows."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy

import pytest
from attrs import evolve

from fly_emulator import lifecycle, parse_faults
from score_flyio.deploy.metadata import COUNTED
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_cancellation import cancel_at
from tests.engine.test_operations import KEEP, WEB, visit

GROUPS = "[processes]\napp = 'serve'\nworker = 'work'\n"
SECOND_FAILS = "Machines_create: 422 skip=1"


def forget(lab: Lab) -> None:
    """As on another computer, or in CI without a project state."""
    lab.store = InMemoryStore(ProjectState.new(""))


def somebody_destroys(lab: Lab, place: int, group: str | None = None) -> None:
    lifecycle.destroy(lab.fly.world, lab.machines(group=group)[place], lab.clock.time())


def counts(lab: Lab) -> Counter[str]:
    return Counter(m.config["metadata"]["fly_process_group"] for m in lab.machines())


async def scale_to(lab: Lab, **count: int) -> None:
    counts: dict[str | None, int] = dict(count.items())
    async with visit(lab) as session:
        await scale(session, WEB, ScaleRequest(counts=counts, options=KEEP))


@pytest.mark.parametrize("strategy", ["rolling", "bluegreen"])
@pytest.mark.parametrize("place", [0, 1])
async def test_what_somebody_destroyed_does_not_come_back(
    lab: Lab, place: int, strategy: str
) -> None:
    await lab.deploy(toml())
    somebody_destroys(lab, place)
    for state_is_lost in (False, True):
        if state_is_lost:
            forget(lab)
        new = toml(strategy=strategy, env=f"B = '{state_is_lost}'")
        assert (await lab.deploy(new)).code == 0
        assert len(lab.machines()) == 1
        assert (await lab.deploy(new)).changes == []
    lab.check_clean()


@pytest.mark.parametrize("ha", [True, False])
@pytest.mark.parametrize("service", [True, False])
async def test_what_a_launch_left_out_comes_behind_a_bluegreen(
    lab: Lab, service: bool, ha: bool
) -> None:
    """A standby of the machine that goes would never run."""
    half = await lab.deploy(toml(service=service), faults="Machines_create: 400 skip=1")
    assert (half.code, len(lab.machines())) == (1, 1)
    new = toml(service=service, image="nginx:2", strategy="bluegreen")
    options = evolve(QUICK, ha=ha)
    assert (await lab.deploy(new, options=options)).code == 0
    first, *second = lab.machines()
    assert lab.images() == ["nginx:2"] * (1 + ha)
    assert [m.config.get("standbys") for m in second] == ([None if service else [first.id]] * ha)
    for again in (new, toml(service=service, image="nginx:3", strategy="bluegreen")):
        assert (await lab.deploy(again, options=options)).code == 0
        assert len(lab.machines()) == 1 + ha
    lab.check_clean()


async def test_a_destroyed_standby_does_not_come_back(lab: Lab) -> None:
    await lab.deploy(toml(service=False))
    somebody_destroys(lab, 1)
    forget(lab)
    assert (await lab.deploy(toml(service=False))).changes == []


async def test_a_scaled_group_stays_so_without_a_state(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS))
    await scale_to(lab, worker=1)
    await scale_to(lab, app=3)
    await scale_to(lab, app=1)
    forget(lab)
    assert (await lab.deploy(toml(GROUPS))).changes == []
    done = await lab.deploy(toml(GROUPS, image="nginx:2"))
    assert done.code == 0, done.text
    assert counts(lab) == {"app": 1, "worker": 1}
    async with visit(lab) as session:
        await rollback(session, WEB, to=1, options=KEEP)
    assert counts(lab) == {"app": 1, "worker": 1}


@pytest.mark.parametrize("group", ["app", "worker"])
async def test_an_interrupted_launch_is_completed_also_without_a_state(
    lab: Lab, group: str
) -> None:
    cut = await lab.deploy(toml(GROUPS if group == "worker" else ""), faults=SECOND_FAILS)
    assert cut.code != 0
    forget(lab)
    text = GROUPS if group == "worker" else ""
    assert (await lab.deploy(toml(text))).code == 0
    assert set(counts(lab).values()) == {2}
    forget(lab)
    assert (await lab.deploy(toml(text))).changes == []


@pytest.mark.parametrize("step", range(1, 8))
async def test_a_launch_that_was_killed_is_completed_and_then_for_people_to_say(
    lab: Lab, step: int
) -> None:
    await lab.deploy(toml(), body=cancel_at(step))
    forget(lab)
    assert (await lab.deploy(toml())).code == 0
    assert len(lab.machines()) == 2
    somebody_destroys(lab, 1)
    forget(lab)
    assert (await lab.deploy(toml())).changes == []


async def test_no_ha_counts_more_than_a_launch_that_could_not_end(lab: Lab) -> None:
    await lab.deploy(toml(), faults=SECOND_FAILS)
    limited = "Machines_create: 422"
    done = await lab.deploy(toml(), options=evolve(QUICK, ha=False), faults=limited)
    assert done.code == 0, done.text
    forget(lab)
    assert (await lab.deploy(toml())).changes == []
    assert len(lab.machines()) == 1
    assert sorted(ip.type for ip in lab.fly.world.apps["web"].ips) == ["shared_v4", "v6"]


async def test_a_scale_of_a_launch_that_could_not_end_counts(lab: Lab) -> None:
    await lab.deploy(toml(), faults=SECOND_FAILS)
    await scale_to(lab, app=1)
    forget(lab)
    assert (await lab.deploy(toml(image="nginx:2"))).code == 0
    assert len(lab.machines()) == 1
    assert sorted(ip.type for ip in lab.fly.world.apps["web"].ips) == ["shared_v4", "v6"]


async def test_a_larger_scale_that_was_cut_short_is_not_added_to(lab: Lab) -> None:
    await lab.deploy(toml(), faults=SECOND_FAILS)
    async with visit(lab) as session:
        lab.fly.faults = parse_faults(SECOND_FAILS)
        await scale(session, WEB, ScaleRequest(counts={"app": 4}, options=KEEP))
    assert len(lab.machines()) == 2
    forget(lab)
    assert (await lab.deploy(toml())).code == 0
    assert len(lab.machines()) == 2


@pytest.mark.parametrize("mounts", ["", '[[mounts]]\nsource = "data"\ndestination = "/data"\n'])
@pytest.mark.parametrize("lost", [False, True])
async def test_one_machine_after_none(lab: Lab, mounts: str, *, lost: bool) -> None:
    await lab.deploy(toml(mounts))
    volumes = [volume.id for volume in lab.fly.world.volumes.values()]
    await scale_to(lab, app=0)
    assert lab.machines() == []
    if lost:
        forget(lab)
    await scale_to(lab, app=1)
    (machine,) = lab.machines()
    assert machine.state == "started"
    assert [mount["volume"] for mount in machine.config.get("mounts") or []] == volumes
    assert (await lab.deploy(toml(mounts))).code == 0
    assert len(lab.machines()) == 1


async def test_machines_that_flyctl_made_are_as_many_as_there_are(lab: Lab) -> None:
    await lab.deploy(toml())
    for machine in lab.machines():
        for key in [key for key in machine.config["metadata"] if key.startswith("score_flyio")]:
            machine.config["metadata"].pop(key)
    somebody_destroys(lab, 1)
    forget(lab)
    assert (await lab.deploy(toml(image="nginx:2"))).code == 0
    assert len(lab.machines()) == 1


async def test_a_clone_that_flyctl_made_of_an_interrupted_launch_completes_it(lab: Lab) -> None:
    await lab.deploy(toml())
    first, second = lab.machines()
    first.config["metadata"].pop(COUNTED)
    key = "score_flyio_launch_id"
    second.config["metadata"] = {**first.config["metadata"], key: first.config["metadata"][key]}
    forget(lab)
    assert (await lab.deploy(toml(image="nginx:2"))).code == 0
    assert len(lab.machines()) == 2


async def test_a_group_that_came_later_is_counted_like_the_first(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS.replace("worker", "#")))
    done = await lab.deploy(toml(GROUPS), faults=SECOND_FAILS)
    assert counts(lab)["worker"] == 1, done.text
    forget(lab)
    await lab.deploy(toml(GROUPS))
    assert counts(lab) == {"app": 2, "worker": 2}
    somebody_destroys(lab, 1, "worker")
    assert (await lab.deploy(toml(GROUPS))).changes == []


@pytest.mark.parametrize("known", ["all", "an earlier release", "nothing"])
async def test_a_group_that_was_scaled_to_nothing_comes_back_as_it_was(
    lab: Lab, known: str
) -> None:
    """Whatever the state knows that it is scaled up from, and whatever a deploy had tried."""
    await lab.deploy(toml(env="A = '1'"))
    other = Lab(lab.fly, lab.clock, deepcopy(lab.store), runs=1000)
    await lab.deploy(toml(env="A = '2'"))
    failed = await lab.deploy(toml(env="EMULATE_HEALTHY = 'never'", strategy="bluegreen"))
    assert failed.code == 3
    await scale_to(lab, app=0)
    if known == "nothing":
        forget(other)
    there = lab if known == "all" else other
    async with visit(there) as session:
        change = await scale(session, WEB, ScaleRequest(counts={None: 2}, options=KEEP))
    assert [machine.config["env"].get("A") for machine in lab.machines()] == ["2", "2"]
    assert change.report is not None
    assert [app.release for app in change.report.apps] == [2]


async def test_a_group_that_was_scaled_to_nothing_remembers_its_releases(lab: Lab) -> None:
    for level in ("1", "2"):
        await lab.deploy(toml(GROUPS, env=f"A = '{level}'"))
    await scale_to(lab, worker=0)
    await scale_to(lab, worker=1)
    forget(lab)
    async with visit(lab) as session:
        await rollback(session, WEB, to=1, options=KEEP)
    assert counts(lab) == {"app": 2, "worker": 1}
    assert {machine.config["env"]["A"] for machine in lab.machines()} == {"1"}
