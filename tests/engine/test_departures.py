"""Groups that leave an app, with machines that have data: none of it is ever lost, nor doubled."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_emulator.records import VolumeRecord
from score_flyio.errors import DestructiveChange
from tests.engine.lab import QUICK, Lab, score, toml
from tests.engine.test_cancellation import cancel_at
from tests.engine.test_counts import forget, scale_to

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
