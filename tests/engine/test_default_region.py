"""FLY_REGION says where what is new goes, if neither the app nor an option does."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.operations.scale import ScaleRequest
from tests.engine.lab import QUICK, Lab
from tests.engine.test_ahead import MOUNT, written

COMMAND = "[deploy]\nrelease_command = 'true'\n"
OPTIONS = evolve(QUICK, ha=False)


def regions(lab: Lab) -> set[str]:
    """Of all machines and volumes that were ever made."""
    world = lab.fly.world
    machines = {machine.region for machine in world.machines.values()}
    return machines | {volume.region for volume in world.volumes.values()}


@pytest.mark.parametrize("variable", ["FLY_REGION", "FLY_REGION_NAME"])
async def test_machines_volumes_and_release_commands_go_there(lab: Lab, variable: str) -> None:
    lab.environ[variable] = "ams"
    done = await lab.deploy(written(COMMAND + MOUNT), options=OPTIONS)
    assert done.code == 0, done.text
    assert regions(lab) == {"ams"}
    assert "PRIMARY_REGION" not in lab.machines()[0].config["env"]
    lab.environ.clear()
    done = await lab.deploy(written(COMMAND + MOUNT), options=OPTIONS)
    assert (done.code, done.changes) == (0, [])


@pytest.mark.parametrize(
    ("text", "options", "region"),
    [
        ("primary_region = 'lhr'\n" + MOUNT, {}, "lhr"),
        (MOUNT, {"region": "fra"}, "fra"),
        ("primary_region = 'lhr'\n", {"region": "fra"}, "fra"),
    ],
)
async def test_file_and_option_come_before_it(
    lab: Lab, text: str, options: dict[str, Any], region: str
) -> None:
    lab.environ["FLY_REGION"] = "ams"
    done = await lab.deploy(written(text), options=evolve(OPTIONS, **options))
    assert done.code == 0, done.text
    assert regions(lab) == {region}


async def test_a_group_that_begins_anew_is_scaled_up_there(lab: Lab) -> None:
    lab.environ["FLY_REGION"] = "ams"
    await lab.deploy(written(""), options=OPTIONS)
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={None: 0}, options=DeployOptions()))
        await engine.scale("web", ScaleRequest(counts={None: 1}, options=QUICK))
    assert {machine.region for machine in lab.machines()} == {"ams"}


@pytest.mark.parametrize("text", ["", MOUNT])
async def test_a_region_that_there_is_not(lab: Lab, text: str) -> None:
    lab.environ["FLY_REGION"] = "lhx"
    done = await lab.deploy(written(text), options=OPTIONS)
    assert (done.code, done.changes) == (2, [])
    assert "FLY_REGION: Fly has no region 'lhx'" in done.text
