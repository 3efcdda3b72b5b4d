"""Each kind of change, with its answer lost or late: nothing is made twice, nothing is left out."""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve

from score_flyio.engine.run import Run
from tests.engine.lab import QUICK, Done, Lab, score, toml

VOLUME = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
GROUPS = "[processes]\napp = 'serve'\nworker = 'work'\n"
ONE_GROUP = "[processes]\napp = 'serve'\n"

FIRST_DEPLOY = (
    "Apps_create",
    "App_IPAssignments_create",
    "Machines_create",
    "Volumes_create",
    "Secrets_update",
)
LATER_DEPLOY = (
    "Machines_create_lease",
    "Machines_release_lease",
    "Machines_update",
    "Machines_create",
    "Machines_delete",
    "Machines_cordon",
    "Machines_uncordon",
    "Machines_upsert_metadata",
    "Machines_stop",
)
ACCIDENTS = (
    "lost",
    "503 after",
    "504 after",
    "408 after",
    "reset before",
    "500 before",
    "hang after",
    "html",
    "cut",
    "null",
)


async def first(lab: Lab, faults: str = "") -> Done:
    apps = (score("secretive", secret=True), toml(VOLUME, app="keeper"), toml(app="web"))
    return await lab.deploy(*apps, faults=faults)


async def later(lab: Lab, faults: str = "") -> Done:
    await lab.deploy(toml(GROUPS, app="web", strategy="bluegreen"), toml(app="slow"))
    return await lab.deploy(
        toml(ONE_GROUP, app="web", image="nginx:2", strategy="bluegreen"),
        toml(app="slow", image="nginx:2", strategy="canary"),
        options=evolve(QUICK, allow_destructive=True),
        faults=faults,
    )


def contents(lab: Lab) -> dict[str, list[str]]:
    return {
        app.name: sorted(
            [
                *(f"{m.state} {m.config['image']} {m.cordoned}" for m in lab.machines(app.name)),
                *(ip.type for ip in app.ips),
                *app.secrets,
                *(f"{v.name} {bool(v.attached_machine_id)}" for v in lab.fly.world.volumes_of(app)),
            ]
        )
        for app in lab.fly.world.apps.values()
    }


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("operation", FIRST_DEPLOY)
async def test_a_first_deploy_with_an_accident(lab: Lab, operation: str, accident: str) -> None:
    await first(smooth := Lab.build())
    done = await first(lab, f"{operation}: {accident} times=1")
    assert done.code == 0, done.text
    assert contents(lab) == contents(smooth)
    await anyio.sleep(31)  # the lease of a machine whose creation was not answered ends by itself
    lab.check_clean()
    assert (await first(lab)).changes == []


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("operation", LATER_DEPLOY)
async def test_a_later_deploy_with_an_accident(lab: Lab, operation: str, accident: str) -> None:
    await later(smooth := Lab.build())
    done = await later(lab, f"{operation}: {accident} times=1")
    assert done.code == 0, done.text
    assert len(done.of(operation)) >= 1
    assert contents(lab) == contents(smooth)
    if operation != "Machines_release_lease":
        assert lab.leased() == []


@pytest.mark.parametrize("accident", ["html", "cut", "502"])
@pytest.mark.parametrize("left_out", range(4))
async def test_a_read_that_cannot_be_read_once(lab: Lab, accident: str, left_out: int) -> None:
    await later(smooth := Lab.build())
    done = await later(lab, f"reads: {accident} skip={left_out * 3} times=1")
    assert done.code == 0, done.text
    assert contents(lab) == contents(smooth)


async def test_a_machine_whose_twins_cannot_be_looked_for_is_given_back(lab: Lab) -> None:
    """Its creation went out twice, so there may be two; then no list is answered any more."""
    faults = "Machines_create: 503 before times=1; Machines_list: 503 skip=3"
    done = await lab.deploy(toml(), faults=faults)
    assert done.code == 1
    assert lab.machines()
    assert lab.leased() == []
    again = await lab.deploy(toml())
    assert again.code == 0, again.text
    assert len(lab.machines()) == 2


@pytest.mark.parametrize("killed", [False, True])
async def test_a_twin_in_a_region_that_lists_lack_does_not_stay(lab: Lab, killed: bool) -> None:
    unlisted = lab.fly.world.unlisted

    async def listed_again() -> None:
        await anyio.sleep(20)
        unlisted.clear()

    async def body(run: Run) -> None:
        await anyio.sleep(4)
        if killed:
            run.cancel()

    unlisted.add("iad")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listed_again)
        await lab.deploy(toml(), faults="Machines_create: 503 after times=1", body=body)
    if killed:
        assert len(lab.machines()) == 2
        again = await lab.deploy(toml())
        assert again.code == 0, again.text
    assert len(lab.machines()) == 2
    lab.check_clean()
    assert (await lab.deploy(toml())).changes == []
