"""What the platform does by itself over time: schedules, standbys, the proxy, retries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fly_emulator import Emulator, EmulatorSettings
from tests.emulator.client import CONFIG, SERVICE, Api, HandClock, make_api


@asynccontextmanager
async def platform(**settings: Any) -> AsyncIterator[Api]:
    clock = HandClock()
    async with Emulator(EmulatorSettings(**{"rate_limits": False, **settings}), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            yield api


async def test_a_scheduled_machine_runs_again(api: Api) -> None:
    config = {"image": "a", "schedule": "hourly", "env": {"EMULATE_EXIT": "0"}}
    machine = await api.machine(config=config)
    assert await api.state(machine) == "stopped"
    api.later(3600 - 1)
    assert await api.state(machine) == "starting"
    api.later(3 * 3600)
    events = (await api.get(f"/apps/shop/machines/{machine['id']}/events?limit=50")).json()
    assert sum(event["type"] == "start" for event in events) == 4


async def test_a_scheduled_machine_that_was_killed_runs_again(api: Api) -> None:
    machine = await api.machine(config={"image": "a", "schedule": "hourly"})
    api.later(1)
    path = f"/apps/shop/machines/{machine['id']}"
    assert (await api.post(f"{path}/signal", {"signal": "SIGKILL"})).status_code == 200
    assert await api.state(machine) == "stopped"
    api.later(3600)
    assert await api.state(machine) == "started"


async def test_a_schedule_has_one_of_four_names(api: Api) -> None:
    body = {"config": {"image": "a", "schedule": "yearly"}}
    assert (await api.post("/apps/shop/machines", body)).status_code == 400


async def test_a_standby_starts_when_the_host_it_watches_fails(api: Api) -> None:
    worker = {"image": "a"}
    watched = await api.machine(config=worker)
    standby = await api.machine(config={**worker, "standbys": [watched["id"]]}, skip_launch=True)
    other = await api.machine(config={**worker, "standbys": ["none"]}, skip_launch=True)
    api.fly.control.begin_incident("host_lost", api.fly.world.machines[watched["id"]].host)
    api.later(1)
    assert [await api.state(one) for one in (standby, other)] == ["started", "stopped"]
    shown = (await api.get(f"/apps/shop/machines/{watched['id']}")).json()
    assert shown["host_status"] == "unreachable"
    assert "config" not in shown
    api.fly.control.end_incident("host_lost", api.fly.world.machines[watched["id"]].host)
    assert "config" in (await api.get(f"/apps/shop/machines/{watched['id']}")).json()


@pytest.mark.parametrize(
    ("autostop", "least", "region", "states"),
    [
        ("stop", 0, "iad", ["stopped", "stopped"]),
        ("suspend", 1, "iad", ["started", "suspended"]),
        ("stop", 1, "ams", ["stopped", "stopped"]),
        ("off", 0, "iad", ["started", "started"]),
        (None, 0, "iad", ["started", "started"]),
    ],
)
async def test_the_proxy_stops_one_after_the_other(
    autostop: str | None, least: int, region: str, states: list[str]
) -> None:
    service = {**SERVICE, "autostop": autostop, "min_machines_running": least}
    config = {"image": "a", "services": [service], "env": {"PRIMARY_REGION": region}}
    async with platform(autostop_every=60.0) as api:
        machines = [await api.machine(config=config) for _ in range(2)]
        api.later(59)
        assert sum([await api.state(one) != "started" for one in machines]) <= 1
        api.later(600)
        assert sorted([await api.state(one) for one in machines]) == states


async def test_a_crash_now_and_then_is_no_crash_loop(api: Api) -> None:
    config = {**CONFIG, "env": {"EMULATE_EXIT": "1", "EMULATE_EXIT_AFTER": "400"}}
    machine = await api.machine(config=config)
    api.later(20_000)
    assert await api.state(machine) in {"started", "restarting"}
    shown = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    exits = [event for event in shown["events"] if event["type"] == "exit"]
    assert {event["request"]["restart_count"] for event in exits} == {1}


async def test_a_fork_lies_in_the_region_of_its_source(api: Api) -> None:
    source = (await api.post("/apps/shop/volumes", {"name": "data", "region": "ams"})).json()
    wish = {"name": "data", "region": "", "source_volume_id": source["id"], "size_gb": None}
    fork = (await api.post("/apps/shop/volumes", wish)).json()
    assert (fork["region"], fork["size_gb"]) == ("ams", source["size_gb"])
    assert fork["zone"] != source["zone"]
    await api.delete(f"/apps/shop/volumes/{source['id']}")
    assert (await api.post("/apps/shop/volumes", wish)).status_code == 404


async def test_a_deleted_volume_is_kept_for_a_day(api: Api) -> None:
    volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()
    path = f"/apps/shop/volumes/{volume['id']}"
    await api.delete(path)
    api.later(86_399)
    assert (await api.get(path)).json()["state"] == "pending_destroy"
    api.later(1)
    assert (await api.get(path)).status_code == 404
    listed = (await api.get("/orgs/personal/volumes?include_deleted=true")).json()
    assert listed["volumes"] == []


async def test_placements_without_a_number_are_those_there_is_room_for() -> None:
    async with platform(hosts_per_region=1, host_memory_mb=8192) as api:
        body = {"org_slug": "personal", "region": "fra"}
        placed = (await api.post("/platform/placements", body)).json()["regions"]
        assert [(row["region"], row["count"]) for row in placed] == [("fra", 4)]


@pytest.mark.parametrize(
    ("command", "status"), [("echo 'a", 400), ({"a": 1}, 400), (3, 400), ("echo 'a b'", 200)]
)
async def test_commands_are_texts_or_lists(api: Api, command: Any, status: int) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}/exec"
    assert (await api.post(path, {"cmd": command})).status_code == status


@pytest.mark.parametrize("mark", ["nan", "inf", "-1", "x"])
async def test_marks_that_are_no_numbers_are_no_marks(api: Api, mark: str) -> None:
    env = {"EMULATE_BOOT": mark, "EMULATE_HEALTHY": mark, "EMULATE_EXIT": mark}
    machine = await api.machine(config={**CONFIG, "env": env})
    assert await api.state(machine) in {"starting", "started", "stopped"}


@pytest.mark.parametrize("size", ["a10", "l40s", "a100-80gb"])
async def test_sizes_with_graphics_processors(size: str) -> None:
    config = {"image": "a", "size": size}
    async with platform(gpus=True) as api:
        assert (await api.machine(config=config))["config"]["guest"]["gpus"] == 1
    async with platform() as api:
        refused = await api.post("/apps/shop/machines", {"config": config})
        assert (refused.status_code, "GPU" in refused.text) == (400, True)


async def test_host_names_are_compared_without_case(api: Api) -> None:
    path = "/apps/shop/certificates"
    await api.post(f"{path}/acme", {"hostname": "WWW.example.com"})
    assert (await api.get(f"{path}/Www.Example.com")).status_code == 200


async def test_a_machine_is_given_five_minutes_to_stop() -> None:
    async with platform() as api:
        config = {"image": "nginx", "stop_config": {"timeout": "5m"}}
        assert (await api.machine(config=config))["config"]["stop_config"] == {"timeout": "5m"}
        for text in ("5m1s", 301_000_000_000, "soon"):
            config["stop_config"] = {"timeout": text}
            refused = await api.post("/apps/shop/machines", {"config": config})
            assert (refused.status_code, "stop_config.timeout" in refused.text) == (400, True)
