"""Groups that leave an app, with machines that have data: none of it is ever lost, nor doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from attrs import evolve

from fly_emulator.records import VolumeRecord
from score_flyio.engine.operations.change import Change
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.errors import DestructiveChange, UsageError
from tests.engine.lab import QUICK, Lab, score, toml
from tests.engine.test_cancellation import cancel_at
from tests.engine.test_counts import forget, scale_to
from tests.engine.test_operations import KEEP, WEB, remembered, roll_back, visit

AGREED = evolve(QUICK, allow_destructive=True)
MOUNT = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
ALONE = toml(MOUNT, service=False)
RENAMED = toml("[processes]\nweb = 'serve'\n" + MOUNT, service=False, check=False)
SPLIT = toml(
    "[processes]\napp = 'serve'\nworker = 'work'\n" + MOUNT + 'processes = ["worker"]\n',
    service=False,
    check=False,
)


def volumes(lab: Lab) -> list[VolumeRecord]:
    return [v for v in lab.fly.world.volumes.values() if v.deleted_at is None]


def holders(lab: Lab) -> dict[str, str]:
    """By volume, the group whose machine has it."""
    return {
        mount["volume"]: machine.config["metadata"]["fly_process_group"]
        for machine in lab.machines()
        for mount in machine.config.get("mounts") or []
    }


@pytest.mark.parametrize(("new", "group"), [(RENAMED, "web"), (SPLIT, "worker")])
async def test_the_volume_goes_on_in_the_group_that_begins(lab: Lab, new: Any, group: str) -> None:
    await lab.deploy(ALONE)
    (volume,) = volumes(lab)
    refused = await lab.deploy(new)
    assert (refused.code, refused.changes) == (2, [])
    assert refused.report is not None
    (failure,) = refused.report.failures
    assert isinstance(failure, DestructiveChange)
    assert f"goes on in group {group}, with its volume {volume.id}" in failure.message
    done = await lab.deploy(new, options=AGREED)
    assert done.code == 0, done.text
    assert done.report is not None
    assert any(volume.id in n for app in done.report.to_json()["apps"] for n in app["notes"])
    assert holders(lab) == {volume.id: group}
    assert [v.id for v in volumes(lab)] == [volume.id]
    assert (await lab.deploy(new)).changes == []
    back = await lab.deploy(ALONE, options=AGREED)
    assert back.code == 0, back.text
    if new is RENAMED:
        assert holders(lab) == {volume.id: "app"}
    lab.check_clean()


async def test_a_group_that_left_is_asked_for_before_an_app_with_resources_changes(
    lab: Lab,
) -> None:
    await lab.deploy(toml("[processes]\nworker = 'work'\n", service=False, check=False))
    refused = await lab.deploy(score(secret=True))
    assert (refused.code, refused.changes) == (2, [])


@pytest.mark.parametrize("new", [RENAMED, SPLIT])
@pytest.mark.parametrize("step", range(1, 9))
async def test_a_move_that_is_cut_short_at_a_step_loses_and_doubles_nothing(
    lab: Lab, new: Any, step: int
) -> None:
    await lab.deploy(ALONE)
    await scale_to(lab, app=3)
    before = {v.id for v in volumes(lab)}
    assert len(before) == 3
    await lab.deploy(new, options=AGREED, body=cancel_at(step))
    assert set(holders(lab)) == before
    forget(lab)
    again = await lab.deploy(new, options=AGREED)
    assert again.code == 0, again.text
    group = "web" if new is RENAMED else "worker"
    assert holders(lab) == dict.fromkeys(before, group)
    assert {v.id for v in volumes(lab)} == before
    assert len(lab.machines(group="app")) == (0 if new is RENAMED else 3)
    lab.check_clean()
    assert (await lab.deploy(new)).changes == []


async def test_a_machine_that_is_not_well_in_its_new_group_goes_back(lab: Lab) -> None:
    await lab.deploy(ALONE)
    (volume,) = volumes(lab)
    text = "[processes]\nweb = 'serve'\n" + MOUNT
    bad = toml(text, service=False, image="nginx:2", env="EMULATE_HEALTHY = 'never'")
    done = await lab.deploy(bad, options=AGREED)
    assert done.code == 3, done.text
    assert holders(lab) == {volume.id: "app"}


async def test_data_in_another_region_is_not_left_there(lab: Lab) -> None:
    await lab.deploy(ALONE)
    (volume,) = volumes(lab)
    elsewhere = evolve(RENAMED, spec=evolve(RENAMED.spec, primary_region="fra"))
    done = await lab.deploy(elsewhere, options=AGREED)
    assert done.code == 0, done.text
    assert holders(lab) == {volume.id: "web"}
    assert [v.id for v in volumes(lab)] == [volume.id]


@pytest.mark.parametrize("lost_state", [False, True])
@pytest.mark.parametrize("more", [False, True])
async def test_a_rollback_brings_a_renamed_group_back_with_its_data(
    lab: Lab, lost_state: bool, more: bool
) -> None:
    await lab.deploy(ALONE)
    (volume,) = volumes(lab)
    await lab.deploy(RENAMED, options=AGREED)
    if more:
        again = toml("[processes]\nweb = 'again'\n" + MOUNT, service=False, check=False)
        assert (await lab.deploy(again)).code == 0
    if lost_state:
        forget(lab)
    assert await roll_back(lab, to=1) == 1
    (machine,) = lab.machines(group="app")
    assert machine.config["env"]["FLY_PROCESS_GROUP"] == "app"
    assert "cmd" not in machine.config["init"]
    assert holders(lab) == {volume.id: "app"}
    assert [v.id for v in volumes(lab)] == [volume.id]
    lab.check_clean()
    if not more:
        forward = await lab.deploy(RENAMED, options=AGREED)
        assert forward.code == 0, forward.text
        assert holders(lab) == {volume.id: "web"}


async def test_a_rollback_brings_a_group_back_with_the_volumes_that_it_left(lab: Lab) -> None:
    both = "[processes]\napp = 'serve'\nworker = 'work'\n" + MOUNT + 'processes = ["worker"]\n'
    await lab.deploy(toml(both, check=False))
    await scale_to(lab, worker=3)
    before = {v.id for v in volumes(lab)}
    alone = toml(check=False)
    assert (await lab.deploy(alone, options=AGREED)).code == 0
    assert (await lab.deploy(toml(check=False, image="nginx:2"))).code == 0
    assert holders(lab) == {}
    assert await roll_back(lab, to=1) == 1
    assert holders(lab) == dict.fromkeys(before, "worker")
    assert {v.id for v in volumes(lab)} == before
    assert len(lab.machines(group="app")) == 2
    lab.check_clean()


async def test_a_rollback_of_a_renamed_group_takes_the_new_one_away_when_the_old_one_is_well(
    lab: Lab,
) -> None:
    await lab.deploy(toml("[processes]\nold = 'serve'\n", service=False, check=False))
    new = toml("[processes]\nnew = 'serve'\n", service=False, check=False)
    await lab.deploy(new, options=AGREED)
    first = {m.id for m in lab.machines()}
    gone: list[tuple[str, ...]] = []

    def refuse(change: Change) -> None:
        gone.append(change.destroys)
        raise UsageError("no")

    async with visit(lab) as session:
        with pytest.raises(UsageError):
            await rollback(session, WEB, options=KEEP, before=refuse)
    assert {m.id for m in lab.machines()} == first
    assert {*gone[0]} == first
    assert await roll_back(lab) == 1
    assert {m.config["metadata"]["fly_process_group"] for m in lab.machines()} == {"old"}
    lab.check_clean()


BOTH = "[processes]\napp = 'serve'\nworker = 'work'\n"
IN_APP = toml(BOTH + MOUNT + 'processes = ["app"]\n', service=False, check=False)
IN_WORKER = toml(BOTH + MOUNT + 'processes = ["worker"]\n', service=False, check=False)


def groups(lab: Lab) -> dict[str, int]:
    return {group: len(lab.machines(group=group)) for group in ("app", "worker")}


async def test_a_mount_that_moves_between_two_groups_takes_its_data_along(lab: Lab) -> None:
    await lab.deploy(IN_APP)
    await scale_to(lab, app=2, worker=2)
    before = {v.id for v in volumes(lab)}
    refused = await lab.deploy(IN_WORKER)
    assert (refused.code, refused.changes) == (2, [])
    assert "goes on in group worker" in refused.text
    done = await lab.deploy(IN_WORKER, options=AGREED)
    assert done.code == 0, done.text
    assert holders(lab) == dict.fromkeys(before, "worker")
    assert {v.id for v in volumes(lab)} == before
    assert groups(lab) == {"app": 2, "worker": 2}
    assert (await lab.deploy(IN_WORKER)).changes == []
    back = await lab.deploy(IN_APP, options=AGREED)
    assert back.code == 0, back.text
    assert holders(lab) == dict.fromkeys(before, "app")
    assert {v.id for v in volumes(lab)} == before
    assert groups(lab) == {"app": 2, "worker": 2}
    lab.check_clean()


@pytest.mark.parametrize("step", range(1, 14))
@pytest.mark.parametrize(("app", "worker"), [(2, 2), (3, 1)])
@pytest.mark.parametrize("way", ["there", "back"])
async def test_a_mount_that_moves_between_two_groups_and_is_cut_short_at_a_step(
    lab: Lab, app: int, worker: int, step: int, way: str
) -> None:
    await lab.deploy(IN_APP)
    await scale_to(lab, app=app, worker=worker)
    before = {v.id for v in volumes(lab)}
    new, group = IN_WORKER, "worker"
    if way == "back":
        assert (await lab.deploy(IN_WORKER, options=AGREED)).code == 0
        new, group = IN_APP, "app"
    await lab.deploy(new, options=AGREED, body=cancel_at(step))
    forget(lab)
    again = await lab.deploy(new, options=AGREED)
    assert again.code == 0, again.text
    assert set(holders(lab).values()) == {group}
    assert len(holders(lab)) == groups(lab)[group]
    assert {v.id for v in volumes(lab)} == before
    assert groups(lab) == {"app": app, "worker": worker}
    lab.check_clean()
    assert (await lab.deploy(new)).changes == []


async def test_a_machine_that_is_not_well_in_the_place_of_another_goes_back(lab: Lab) -> None:
    await lab.deploy(IN_APP)
    await scale_to(lab, worker=1)
    (volume,) = volumes(lab)
    text = BOTH + MOUNT + 'processes = ["worker"]\n'
    bad = text + "[checks.alive]\ntype = 'tcp'\nport = 9000\nprocesses = ['worker']\n"
    broken = toml(bad, service=False, check=False, env="EMULATE_HEALTHY = 'never'")
    done = await lab.deploy(broken, options=AGREED)
    assert done.code == 3, done.text
    assert holders(lab) == {volume.id: "app"}
    assert groups(lab)["worker"] >= 1
    mended = await lab.deploy(IN_WORKER, options=AGREED)
    assert mended.code == 0, mended.text
    assert holders(lab) == {volume.id: "worker"}
    assert [v.id for v in volumes(lab)] == [volume.id]
    lab.check_clean()


@pytest.mark.parametrize("options", [{"process_groups": ("web",)}, {"only_regions": ("fra",)}])
async def test_a_renamed_group_alone_never_begins_on_an_empty_volume(
    lab: Lab, options: Any
) -> None:
    await lab.deploy(ALONE)
    (volume,) = volumes(lab)
    alone = await lab.deploy(RENAMED, options=evolve(AGREED, **options))
    assert (alone.code, alone.changes) == (2, [])
    assert "--process-groups app,web" in alone.text
    assert [v.id for v in volumes(lab)] == [volume.id]
    both = evolve(AGREED, process_groups=("app", "web"))
    done = await lab.deploy(RENAMED, options=both)
    assert done.code == 0, done.text
    assert holders(lab) == {volume.id: "web"}


async def test_a_rollback_brings_a_group_back_in_each_of_its_regions(lab: Lab) -> None:
    """As many as there were, each with a volume that waits in its region; the new group goes."""
    two = toml("[processes]\napp = 'serve'\nold = 'work'\n" + MOUNT + 'processes = ["old"]\n')
    await lab.deploy(two)
    for region, count in (("iad", 2), ("fra", 1)):
        async with visit(lab) as session:
            request = ScaleRequest(counts={"old": count}, regions=(region,), options=KEEP)
            await scale(session, WEB, request)
    before = Counter(m.region for m in lab.machines(group="old"))
    assert before == {"iad": 2, "fra": 1}
    new = toml("[processes]\napp = 'serve'\nnew = 'work'\n")
    assert (await lab.deploy(new, options=AGREED)).code == 0
    begun = {m.id for m in lab.machines(group="new")}
    release = max(await remembered(lab))
    lab.fly.journal.entries.clear()
    await roll_back(lab, to=release - 1)
    assert Counter(m.region for m in lab.machines(group="old")) == before
    assert lab.machines(group="new") == []
    assert len(volumes(lab)) == 3
    assert sorted(holders(lab)) == sorted(v.id for v in volumes(lab))
    leased = {e.machine for e in lab.fly.journal.entries if e.operation == "Machines_create_lease"}
    assert begun <= leased
    lab.check_clean()


@pytest.mark.parametrize("cut", [None, 1, 2, 3, 4, 5])
async def test_a_standby_goes_when_its_group_gets_a_mount(lab: Lab, cut: int | None) -> None:
    """Started on another host it would have a volume of its own, without the data."""
    await lab.deploy(toml(service=False, check=False))
    assert [bool(m.config.get("standbys")) for m in lab.machines()] == [False, True]
    if cut:
        await lab.deploy(ALONE, options=AGREED, body=cancel_at(cut))
    done = await lab.deploy(ALONE, options=AGREED)
    assert done.code == 0, done.text
    (machine,) = lab.machines()
    assert holders(lab) == {volume.id: "app" for volume in volumes(lab)}
    assert len(volumes(lab)) == 1
    assert not machine.config.get("standbys")
    lab.check_clean()
    assert (await lab.deploy(ALONE)).changes == []


@pytest.mark.parametrize("step", range(1, 8))
async def test_a_rollback_brings_back_what_a_run_removed_that_could_not_tell(
    lab: Lab, step: int
) -> None:
    """Cut short anywhere, also when all of the group is gone and its release not remembered."""
    both = toml("[processes]\napp = 'serve'\nworker = 'work'\n", check=False)
    alone = toml("[processes]\napp = 'serve'\n", check=False)
    await lab.deploy(both)
    await scale_to(lab, worker=3)
    before = sum("standbys" not in m.config for m in lab.machines(group="worker"))
    await lab.deploy(alone, options=AGREED, body=cancel_at(step))
    assert (await lab.deploy(alone, options=AGREED)).code == 0
    assert lab.machines(group="worker") == []
    assert await roll_back(lab, to=1) == 1
    assert sum("standbys" not in m.config for m in lab.machines(group="worker")) == before
    lab.check_clean()
    state = await lab.store.load()
    assert state is not None
    assert state.deployments["web"].leaving == {}
