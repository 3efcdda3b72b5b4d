from __future__ import annotations

import anyio
import attrs
import pytest

from fly_emulator import EmulatorSettings
from tests.emulator.client import CONFIG, Api

RELEASE = {"image": "a", "auto_destroy": True, "restart": {"policy": "no"}}


@pytest.fixture
def settings() -> EmulatorSettings:
    return EmulatorSettings(
        rate_limits=False,
        boot=0.02,
        stop=0.02,
        destroy=0.02,
        suspend=0.02,
        prepare=0.02,
        one_shot=0.02,
    )


async def create(api: Api, **body: object) -> str:
    answer = await api.post("/apps/shop/machines", {"config": CONFIG, **body})
    return f"/apps/shop/machines/{answer.json()['id']}"


async def test_the_answer_comes_with_the_state(live: Api) -> None:
    path = await create(live)
    answer = await live.get(f"{path}/wait", params={"state": "started"})
    assert answer.status_code == 200
    document = (await live.get(path)).json()
    assert answer.json() == {
        "ok": True,
        "state": "started",
        "version": document["instance_id"],
        "event_id": document["events"][0]["id"],
    }


async def test_started_is_waited_for_by_default(live: Api) -> None:
    path = await create(live)
    assert (await live.get(f"{path}/wait")).json()["state"] == "started"


@pytest.mark.parametrize(
    "query", ["state=stopped&state=suspended", "state=suspended,stopped", "state=settled"]
)
async def test_several_states(live: Api, query: str) -> None:
    path = await create(live)
    await live.get(f"{path}/wait")
    await live.post(f"{path}/suspend")
    assert (await live.get(f"{path}/wait?{query}")).json()["state"] == "suspended"


@pytest.mark.parametrize("skip", [True, False])
async def test_settled_is_not_the_state_before_a_launch(live: Api, skip: bool) -> None:
    path = await create(live, skip_launch=skip)
    state = (await live.get(f"{path}/wait?state=settled")).json()["state"]
    assert state == ("stopped" if skip else "started")


@pytest.mark.parametrize(
    "query", ["timeout=0", "timeout=61", "timeout=x", "state=asleep", "version=short"]
)
async def test_parameters_are_checked(live: Api, query: str) -> None:
    path = await create(live)
    assert (await live.get(f"{path}/wait?{query}")).status_code == 400


async def test_a_state_that_does_not_come(live: Api) -> None:
    path = await create(live)
    answer = await live.get(f"{path}/wait?state=stopped&timeout=1")
    assert answer.status_code == 408


async def test_a_new_version_ends_waiting_for_the_old_one(live: Api) -> None:
    path = await create(live)
    await live.get(f"{path}/wait")
    old = (await live.get(path)).json()["instance_id"]
    new = (await live.post(path, {"config": CONFIG})).json()["instance_id"]
    refused = await live.get(f"{path}/wait?instance_id={old}&state=stopped")
    assert refused.status_code == 400
    assert "currently replaced" in refused.json()["error"]
    answer = await live.get(f"{path}/wait?version={new}")
    assert (answer.status_code, answer.json()["version"]) == (200, new)


async def test_an_update_under_way_is_not_started(live: Api) -> None:
    path = await create(live)
    await live.get(f"{path}/wait")
    new = (await live.post(path, {"config": CONFIG})).json()["instance_id"]
    answer = await live.get(f"{path}/wait?state=started")
    assert answer.json()["version"] == new


async def test_a_machine_that_is_gone(live: Api) -> None:
    path = await create(live)
    await live.delete(f"{path}?force=true")
    assert (await live.get(f"{path}/wait?state=started")).status_code == 404
    assert (await live.get(f"{path}/wait?state=destroyed")).json()["state"] == "destroyed"
    assert (await live.get(f"{path}/wait?state=destroyed")).json()["state"] == "destroyed"
    assert (await live.get("/apps/shop/machines/nothing/wait")).status_code == 404


async def test_a_process_that_failed_for_good(live: Api) -> None:
    config = {
        **CONFIG,
        "restart": {"policy": "no"},
        "env": {"EMULATE_EXIT": "1", "EMULATE_EXIT_AFTER": "0"},
    }
    path = await create(live, config=config)
    await live.get(f"{path}/wait?state=stopped")
    refused = await live.get(f"{path}/wait?state=started")
    assert refused.status_code == 400
    assert "machine failed to reach desired state" in refused.json()["error"]


async def test_a_machine_that_does_not_start(live: Api) -> None:
    path = await create(live, config={**CONFIG, "env": {"EMULATE_START": "fail"}})
    assert (await live.get(f"{path}/wait?state=started,failed")).json()["state"] == "failed"
    assert (await live.get(f"{path}/wait?state=settled")).json()["state"] == "failed"
    assert (await live.get(f"{path}/wait?state=started")).status_code == 400
    await live.post(path, {"config": CONFIG})
    await live.get(f"{path}/wait?state=stopped")
    assert (await live.get(path)).json()["state"] == "stopped"


async def test_a_state_between_two_looks_counts(live: Api) -> None:
    config = {**RELEASE, "env": {"EMULATE_EXIT_AFTER": "0"}}
    path = await create(live, config=config, skip_launch=True)
    await live.get(f"{path}/wait?state=stopped")
    statuses: list[int] = []

    async def wait(state: str) -> None:
        statuses.append((await live.get(f"{path}/wait?state={state}")).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, "started")
        tasks.start_soon(wait, "destroyed")
        await anyio.wait_all_tasks_blocked()
        await live.post(f"{path}/start")
    assert statuses == [200, 200]


async def test_only_what_comes_after_an_event(live: Api) -> None:
    path = await create(live)
    event = (await live.get(f"{path}/wait")).json()["event_id"]
    assert (await live.get(f"{path}/wait?from_event_id={event}&timeout=1")).status_code == 408
    await live.post(f"{path}/restart")
    assert (await live.get(f"{path}/wait?from_event_id={event}")).status_code == 200


async def test_deleting_the_app_ends_waiting(live: Api) -> None:
    path = await create(live, config={**CONFIG, "env": {"EMULATE_BOOT": "50"}})
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            assert (await live.get(f"{path}/wait")).status_code == 404

        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await live.delete("/apps/shop")


def test_settings_can_be_evolved(settings: EmulatorSettings) -> None:
    assert attrs.evolve(settings, boot=3).boot == 3
