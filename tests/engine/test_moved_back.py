"""Rollbacks to before groups took data over from each other: as many machines as there were."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import anyio
import pytest
from attrs import evolve

from score_flyio.deploy.options import GuestOptions
from score_flyio.engine.operations.destroy import destroy
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.errors import ConfigError, UsageError
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_cancellation import cancel_at
from tests.engine.test_counts import forget, scale_to, somebody_destroys
from tests.engine.test_departures import (
    AGREED,
    ALONE,
    IN_APP,
    IN_WORKER,
    RENAMED,
    SPLIT,
    holders,
    volumes,
)
from tests.engine.test_operations import KEEP, WEB, numbers, roll_back, visit
from tests.engine.test_two_runs import Counted

STRATEGIES = [None, "rolling", "immediate"]


def groups(lab: Lab) -> Counter[str]:
    """How many machines each group has, without standbys."""
    return Counter(
        m.config["metadata"]["fly_process_group"]
        for m in lab.machines()
        if not m.config.get("standbys")
    )


def check_back(lab: Lab, before: Counter[str], data: set[str], group: str = "app") -> None:
    assert groups(lab) == before
    assert holders(lab) == dict.fromkeys(data, group)
    assert {v.id for v in volumes(lab)} == data
    lab.check_clean()


@pytest.mark.parametrize("lost_state", [False, True])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_what_began_in_a_group_whose_machines_left_goes_when_they_come_back(
    lab: Lab, strategy: Any, count: int, lost_state: bool
) -> None:
    await lab.deploy(ALONE)
    await scale_to(lab, app=count)
    before, data = groups(lab), set(holders(lab))
    assert (await lab.deploy(SPLIT, options=AGREED)).code == 0
    assert groups(lab)["app"] == count
    if lost_state:
        forget(lab)
    await roll_back(lab, to=1, options=evolve(KEEP, strategy=strategy))
    check_back(lab, before, data)
    assert (await lab.deploy(ALONE)).changes == []


@pytest.mark.parametrize("strategy", ["canary", "bluegreen"])
async def test_a_strategy_that_volumes_rule_out_changes_nothing(lab: Lab, strategy: Any) -> None:
    await lab.deploy(ALONE)
    assert (await lab.deploy(SPLIT, options=AGREED)).code == 0
    before = [(m.id, len(m.versions)) for m in lab.machines()]
    with pytest.raises(ConfigError, match="volumes"):
        await roll_back(lab, to=1, options=evolve(KEEP, strategy=strategy))
    assert [(m.id, len(m.versions)) for m in lab.machines()] == before


@pytest.mark.parametrize("call", range(8, 40, 6))
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("then", ["rollback", "deploy the old", "deploy the new"])
async def test_a_rollback_that_is_cut_short_at_a_call_loses_and_doubles_nothing(
    lab: Lab, then: str, count: int, call: int
) -> None:
    await lab.deploy(ALONE)
    await scale_to(lab, app=count)
    before, data = groups(lab), set(holders(lab))
    assert (await lab.deploy(SPLIT, options=AGREED)).code == 0
    split = groups(lab)
    await cut_short_at(lab, call)
    if then == "rollback":
        await roll_back(lab, to=1)
        check_back(lab, before, data)
        return
    new = ALONE if then == "deploy the old" else SPLIT
    done = await lab.deploy(new, options=AGREED)
    assert done.code == 0, done.text
    if new is ALONE:
        check_back(lab, before, data)
    else:
        check_back(lab, split, data, "worker")
    assert (await lab.deploy(new)).changes == []


APP = "[processes]\napp = 'serve'\n"
WITH_WORKER = f"{APP}worker = 'work'\n"


def standbys(lab: Lab) -> list[str]:
    """What standbys stand by for."""
    return [name for machine in lab.machines() for name in machine.config.get("standbys") or []]


async def worker_left(lab: Lab) -> None:
    """Nothing else changes with the release: no machine has its number."""
    await lab.deploy(toml(WITH_WORKER, check=False))
    assert len(standbys(lab)) == 1
    done = await lab.deploy(toml(APP, check=False), options=AGREED)
    assert done.code == 0, done.text
    assert (groups(lab), standbys(lab)) == ({"app": 2}, [])


def check_worker(lab: Lab) -> None:
    assert groups(lab) == {"app": 2, "worker": 1}
    (worker,) = [m.id for m in lab.machines(group="worker") if not m.config.get("standbys")]
    assert standbys(lab) == [worker]
    assert lab.machines(group="worker")[1].config["env"]["FLY_STANDBY_FOR"] == worker
    lab.check_clean()


async def test_a_group_whose_end_was_all_of_the_last_release_comes_back_with_its_standby(
    lab: Lab,
) -> None:
    await worker_left(lab)
    assert await roll_back(lab) == 1
    check_worker(lab)


@pytest.mark.parametrize("call", range(2, 12))
async def test_a_standby_comes_back_however_the_rollback_was_cut_short(lab: Lab, call: int) -> None:
    await worker_left(lab)
    await cut_short_at(lab, call)
    await roll_back(lab, to=1)
    check_worker(lab)
    await roll_back(lab, to=2)
    assert groups(lab) == {"app": 2}


async def scaled_to_nothing(lab: Lab, size: str) -> None:
    guest = GuestOptions(memory=size) if size else None
    async with visit(lab) as session:
        await scale(session, WEB, ScaleRequest(counts={"app": 0}, guest=guest, options=KEEP))


@pytest.mark.parametrize("size", ["", "512mb"])
async def test_a_group_that_was_scaled_to_nothing_and_began_anew_stays(lab: Lab, size: str) -> None:
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '1'"))
    await scaled_to_nothing(lab, size)
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '2'"))
    app = {m.id for m in lab.machines(group="app")}
    assert await roll_back(lab) == 1
    assert {m.id for m in lab.machines(group="app")} == app
    assert set(numbers(lab)) == {"1"}
    done = await lab.deploy(toml(APP, check=False, env="A = '3'"), options=AGREED)
    assert done.code == 0, done.text
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '4'"))
    await roll_back(lab, to=4)
    assert groups(lab) == {"app": 2}


@pytest.mark.parametrize("left", [1, 2])
async def test_a_group_goes_that_left_while_it_had_no_machines_and_began_anew(
    lab: Lab, left: int
) -> None:
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '1'"))
    await scale_to(lab, worker=0)
    for number in range(left):
        await lab.deploy(toml(APP, check=False, env=f"B = '{number}'"))
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '3'"))
    assert groups(lab) == {"app": 2, "worker": 1}
    await roll_back(lab, to=1 + left)
    assert groups(lab) == {"app": 2}
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '3'"))
    await roll_back(lab, to=1)
    assert groups(lab) == {"app": 2, "worker": 1}


async def test_a_group_stays_that_had_no_machines_when_another_was_deployed(lab: Lab) -> None:
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '1'"))
    await scale_to(lab, worker=0)
    options = evolve(QUICK, process_groups=("app",))
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '2'"), options=options)
    assert groups(lab) == {"app": 2}
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '3'"))
    await roll_back(lab, to=2)
    assert groups(lab) == {"app": 2, "worker": 1}


@pytest.mark.parametrize("emptied", ["scale", "destroy"])
@pytest.mark.parametrize("cut", [None, *range(1, 8)])
async def test_a_rollback_takes_away_what_began_in_an_app_that_began_anew(
    lab: Lab, emptied: str, cut: int | None
) -> None:
    """However the launch was cut short."""
    await lab.deploy(toml(APP, check=False))
    if emptied == "scale":
        await scaled_to_nothing(lab, "")
    else:
        async with visit(lab) as session:
            await destroy(session, [WEB], keep_volumes=True)
    if cut:
        await lab.deploy(toml(WITH_WORKER, check=False), body=cancel_at(cut))
    done = await lab.deploy(toml(WITH_WORKER, check=False))
    assert done.code == 0, done.text
    assert await roll_back(lab) == 1
    assert groups(lab) == {"app": 2}


async def test_a_rollback_takes_nothing_away_where_nobody_knows_what_there_was(lab: Lab) -> None:
    await lab.deploy(toml(APP, check=False))
    await scaled_to_nothing(lab, "")
    state = await lab.store.load()
    assert state is not None
    record = state.deployments["web"]
    older = tuple(evolve(release, all_groups=()) for release in record.releases)
    state.deployments["web"] = evolve(record, releases=older)
    await lab.store.save(state)
    await lab.deploy(toml(WITH_WORKER, check=False))
    with pytest.raises(UsageError, match="no earlier release"):
        await roll_back(lab)
    assert groups(lab) == {"app": 2, "worker": 1}


@pytest.mark.parametrize("emptied", [False, True])
async def test_a_group_goes_that_began_after_a_release_which_was_found_and_needed_nothing(
    lab: Lab, emptied: bool
) -> None:
    """As after a first deploy that was killed when all was done and nothing remembered."""
    await lab.deploy(toml(APP, check=False))
    forget(lab)
    assert (await lab.deploy(toml(APP, check=False))).changes == []
    if emptied:
        await scaled_to_nothing(lab, "")
    await lab.deploy(toml(WITH_WORKER, check=False))
    assert groups(lab) == {"app": 2, "worker": 1}
    assert await roll_back(lab) == 1
    assert groups(lab) == {"app": 2}


async def test_a_standby_that_somebody_destroyed_does_not_come_back(lab: Lab) -> None:
    await lab.deploy(toml(f"{WITH_WORKER}cron = 'tick'\n", check=False))
    somebody_destroys(lab, 1, "worker")
    done = await lab.deploy(toml(WITH_WORKER, check=False, env="A = '2'"), options=AGREED)
    assert done.code == 0, done.text
    await roll_back(lab, to=1)
    assert groups(lab) == {"app": 2, "worker": 1, "cron": 1}
    (cron,) = [m.id for m in lab.machines(group="cron") if not m.config.get("standbys")]
    assert standbys(lab) == [cron]


async def cut_short_at(lab: Lab, call: int) -> None:
    """A rollback to the first release that is cancelled at one of its calls."""
    await anyio.sleep(5)
    target = Counted(emulator=lab.fly, moment=call)
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            async with lab.engine() as engine:
                await engine.rollback("web", to=1, options=KEEP)
            target.reached.set()

        lab.target = target
        tasks.start_soon(run)
        await target.reached.wait()
        tasks.cancel_scope.cancel()
    lab.target = None
    await anyio.sleep(120)


@pytest.mark.parametrize(("app", "worker"), [(1, 1), (2, 2), (3, 1), (1, 3), (2, 3)])
async def test_groups_between_which_data_moved_are_as_large_as_they_were(
    lab: Lab, app: int, worker: int
) -> None:
    await lab.deploy(IN_APP)
    await scale_to(lab, app=app, worker=worker)
    before, data = groups(lab), set(holders(lab))
    assert (await lab.deploy(IN_WORKER, options=AGREED)).code == 0
    await roll_back(lab, to=1)
    assert groups(lab) == before
    assert {v: g for v, g in holders(lab).items() if g == "app"} == dict.fromkeys(data, "app")


async def test_a_rollback_brings_back_the_data_of_a_mount_that_was_taken_out(lab: Lab) -> None:
    await lab.deploy(ALONE)
    await scale_to(lab, app=2)
    before, data = groups(lab), set(holders(lab))
    assert (await lab.deploy(toml(service=False), options=AGREED)).code == 0
    assert holders(lab) == {}
    await roll_back(lab, to=1)
    check_back(lab, before, data)


async def test_a_group_that_others_removed_is_told_where_it_cannot_come_back(lab: Lab) -> None:
    await lab.deploy(toml(WITH_WORKER, check=False, env="A = '1'"))
    other = Lab(lab.fly, lab.clock, deepcopy(lab.store), runs=1000)
    await other.deploy(toml(APP, check=False, env="A = '2'"), options=AGREED)
    async with visit(lab) as session:
        change = await rollback(session, WEB, to=1, options=KEEP)
    assert groups(lab) == {"app": 2}
    (note,) = change.plan.notes
    assert note.startswith("group worker, which that release had, stays without machines")
    async with visit(other) as session:
        change = await rollback(session, WEB, to=1, options=KEEP)
    assert groups(lab) == {"app": 2, "worker": 1}
    assert change.plan.notes == ()


@pytest.mark.parametrize("stays", [APP, "[processes]\n"])
async def test_a_group_that_others_renamed_never_goes_for_nothing(lab: Lab, stays: str) -> None:
    def named(group: str) -> Any:
        return toml(f"{stays}{group} = 'work'\n", check=False, service=False)

    await lab.deploy(named("worker"))
    other = Lab(lab.fly, lab.clock, deepcopy(lab.store), runs=1000)
    await other.deploy(named("jobs"), options=AGREED)
    before = groups(lab)
    with pytest.raises(UsageError, match="release 1 had group worker, of which no machine is left"):
        await roll_back(lab, to=1)
    assert groups(lab) == before
    await roll_back(other, to=1)
    assert groups(lab)["worker"] == 1


@pytest.mark.parametrize("lost_state", [False, True])
async def test_data_comes_back_also_with_a_machine_that_was_made_since(
    lab: Lab, lost_state: bool
) -> None:
    """A group was renamed, and somebody destroyed its machine: another one has its volume."""
    await lab.deploy(ALONE)
    data = set(holders(lab))
    assert (await lab.deploy(RENAMED, options=AGREED)).code == 0
    somebody_destroys(lab, 0, "web")
    assert (await lab.deploy(RENAMED)).code == 0
    assert holders(lab) == dict.fromkeys(data, "web")
    if lost_state:
        forget(lab)
        with pytest.raises(UsageError, match="no release 1"):
            await roll_back(lab, to=1)
    else:
        await roll_back(lab, to=1)
        check_back(lab, Counter(app=1), data)
    assert {v.id for v in volumes(lab)} == data
