"""Others change the platform meanwhile, or own part of it: told as it is, nothing else touched."""

from __future__ import annotations

import re
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve

from fly_emulator import Organization, Principal, lifecycle
from score_flyio.engine.run import Run
from score_flyio.errors import DeployError, NotAuthorized, StalePlan
from tests.engine.lab import QUICK, Lab, score, toml

MOUNT = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'


async def _call(lab: Lab, method: str, path: str, **arguments: Any) -> None:
    """As somebody else's tool does it."""
    headers = {"authorization": "Bearer other"}
    client = httpx.AsyncClient(
        transport=lab.fly.transport(), base_url="http://fly", headers=headers
    )
    async with client as fly:
        answer = await fly.request(method, f"/v1/apps/{path}", **arguments)
    assert answer.is_success


async def _delete(lab: Lab, path: str) -> None:
    await _call(lab, "DELETE", path, params={"force": "true"})


@pytest.mark.parametrize("strategy", ["rolling", "immediate", "canary", "bluegreen"])
@pytest.mark.parametrize("after", [0.05, 0.2, 1.0, 2.0])
async def test_an_app_that_is_deleted_meanwhile(lab: Lab, strategy: str, after: float) -> None:
    await lab.deploy(toml(), toml(app="other"))

    async def body(_run: Run) -> None:
        await anyio.sleep(after)
        await _delete(lab, "web")

    new = [toml(image="nginx:2", app=app, strategy=strategy) for app in ("web", "other")]
    done = await lab.deploy(*new, body=body)
    assert done.report is not None
    outcomes = {app.app: app.outcome for app in done.report.apps}
    assert outcomes["other"] == "done", done.text
    assert outcomes["web"] != "done" or "web" not in lab.fly.world.apps
    for failure in done.report.failures:
        assert re.search("it is gone|could not find app: web", str(failure))
    assert max(app.seconds for app in done.report.apps) < 15
    assert lab.leased() == []
    again = await lab.deploy(*new)
    assert again.code == 0, again.text
    assert lab.images() == lab.images("other") == ["nginx:2", "nginx:2"]


async def test_an_app_without_any_machine_left_gets_its_machines_again(lab: Lab) -> None:
    await lab.deploy(toml())
    for machine in lab.machines():
        await _delete(lab, f"web/machines/{machine.id}")
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    assert "Apps_create" not in done.changes
    assert "App_IPAssignments_create" not in done.changes


async def test_a_token_without_rights_for_one_app_deploys_the_others(lab: Lab) -> None:
    await lab.deploy(toml(app="theirs"))
    orgs = (Organization(slug="personal", name="Me"), Organization(slug="other", name="Them"))
    lab.fly.settings = evolve(
        lab.fly.settings, organizations=orgs, tokens={"emulated": Principal()}
    )
    lab.fly.world.settings = lab.fly.settings
    lab.fly.world.apps["theirs"].organization = "other"
    done = await lab.deploy(toml(app="theirs", image="nginx:2"), toml(app="ours"))
    assert done.report is not None
    assert done.code == 1
    assert {app.app: app.outcome for app in done.report.apps} == {
        "theirs": "failed",
        "ours": "done",
    }
    (failure,) = done.report.failures
    assert isinstance(failure, NotAuthorized)
    assert "theirs" in str(failure)
    assert len(lab.machines("ours")) == 2
    assert lab.images("theirs") == ["nginx:1", "nginx:1"]


async def test_no_machine_in_the_chosen_regions_is_nothing_to_do(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(image="nginx:2"), options=evolve(QUICK, only_regions=("ams",)))
    assert done.code == 0, done.text
    assert done.changes == []
    assert lab.images() == ["nginx:1", "nginx:1"]


async def test_a_volume_of_another_region_is_left_alone(lab: Lab) -> None:
    """A group that comes to mount a volume gets one where its machine is."""
    await lab.deploy(toml(MOUNT, service=False))
    (before,) = lab.fly.world.volumes.values()
    elsewhere = evolve(before, id="vol_elsewhere", region="ams", attached_machine_id=None)
    lab.fly.world.volumes = {before.id: before, elsewhere.id: elsewhere}
    groups = f'[processes]\napp = ""\nkeeper = "keep"\n{MOUNT}processes = ["keeper", "app"]\n'
    done = await lab.deploy(toml(groups, service=False))
    assert done.code == 0, done.text
    (keeper,) = lab.machines(group="keeper")
    (mount,) = keeper.config["mounts"]
    assert mount["volume"] not in {before.id, elsewhere.id}
    assert lab.fly.world.volumes[mount["volume"]].region == keeper.region
    assert lab.fly.world.volumes[elsewhere.id].attached_machine_id is None


async def test_a_plan_from_before_somebody_set_a_secret_is_refused(lab: Lab) -> None:
    await lab.deploy(score(secret=True))
    async with lab.engine() as engine:
        plan = await engine.plan([score(secret=True, image="nginx:2")])
    await _call(lab, "POST", "web/secrets", json={"values": {"PASSWORD": "other"}})
    async with lab.engine() as engine:
        run = engine.deploy(plan, QUICK)
        with pytest.raises(DeployError, match="changed since the plan"):
            async with run:
                pass
    assert [type(failure) for failure in run.report.failures] == [StalePlan]
    assert lab.images() == ["nginx:1", "nginx:1"]


async def test_a_group_that_begins_anew_waits_until_what_is_left_of_it_is_gone(lab: Lab) -> None:
    """Beside new machines, a standby of a machine that somebody destroyed would stay for ever."""
    worker = toml(service=False, check=False)
    await lab.deploy(worker)
    (primary,) = [m for m in lab.machines() if not m.config.get("standbys")]
    primary.state = "destroyed"
    failed = await lab.deploy(worker, faults="Machines_delete: 422")
    assert failed.code == 1
    again = await lab.deploy(worker)
    assert again.code == 0, again.text
    first, standby = lab.machines()
    assert standby.config["standbys"] == [first.id]


async def test_a_machine_that_lists_lack_for_a_while_is_not_gone() -> None:
    """A whole region was missing from lists for a while in an incident."""
    lab = Lab.build(healthy_after=15.0)

    async def body(_run: Run) -> None:
        await anyio.sleep(2)
        lab.fly.world.unlisted.add("iad")
        await anyio.sleep(20)
        lab.fly.world.unlisted.clear()

    done = await lab.deploy(toml(), body=body, options=evolve(QUICK, wait_timeout=30))
    assert done.code == 0, done.text
    assert len(lab.machines()) == 2


async def test_a_machine_that_somebody_deletes_while_it_is_waited_for_is_gone() -> None:
    lab = Lab.build(healthy_after=25.0)

    async def body(_run: Run) -> None:
        await anyio.sleep(12)
        lifecycle.destroy(lab.fly.world, lab.machines()[0], lab.clock.time())

    options = evolve(QUICK, wait_timeout=60, ha=False)
    done = await lab.deploy(toml(), body=body, options=options)
    assert done.code == 3, done.text
    assert "it was destroyed" in done.text or "it is gone" in done.text
    assert done.report is not None
    assert done.report.apps[0].seconds < 30


async def test_a_lost_lease_ends_the_wait_for_health_at_once(lab: Lab) -> None:
    await lab.deploy(toml())
    lab.fly.settings = lab.fly.world.settings = evolve(lab.fly.settings, healthy_after=600.0)
    options = evolve(QUICK, wait_timeout=500.0, lease_ttl=7.0)
    began = anyio.current_time()

    async def body(_run: Run) -> None:
        await anyio.sleep(3)
        for machine in lab.machines():
            if machine.lease is not None:
                machine.lease.nonce = "somebody-elses"

    done = await lab.deploy(toml(image="nginx:2"), options=options, body=body)
    assert done.code == 1, done.text
    assert "the lease was lost" in done.text
    assert anyio.current_time() - began < 20
