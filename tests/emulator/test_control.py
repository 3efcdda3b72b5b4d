"""What is done to the platform from outside, over HTTP and by functions: one road."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from fly_emulator.control.control import NotThere
from fly_emulator.world_file import dump
from fly_machines import OPERATIONS
from score_flyio import __version__
from score_flyio.errors import ConfigError
from tests.emulator.client import CONFIG, Api, HandClock, make_api


async def control(api: Api, method: str, path: str = "", body: Any = None) -> Any:
    """The document of an answer that is well."""
    answer = await api.client.request(method, f"/_emulator{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def refused(api: Api, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and document of an answer that is not."""
    answer = await api.client.request(method, f"/_emulator{path}", json=body)
    assert answer.status_code >= 400, answer.text
    assert answer.status_code < 500, answer.text
    return answer.status_code, answer.json()


async def test_health_and_the_document_need_no_token(api: Api) -> None:
    api.client.headers.clear()
    assert (await api.client.get("/health")).json() == {"status": "ok", "version": __version__}
    document = (await api.client.get("/openapi.json")).json()
    calls = {call["operationId"] for path in document["paths"].values() for call in path.values()}
    assert calls == {operation.id for operation in OPERATIONS}


async def test_every_route_is_listed(api: Api) -> None:
    routes = (await control(api, "GET"))["routes"]
    assert {"method": "POST", "path": "/_emulator/reset"} in [
        {name: route[name] for name in ("method", "path")} for route in routes
    ]
    assert all(route["does"] for route in routes)


async def test_a_reset_is_as_the_start_was() -> None:
    faults = parse_faults("Apps_show: 503 times=1")
    clock = HandClock()
    async with Emulator(EmulatorSettings(rate_limits=False), clock=clock, faults=faults) as fly:
        api, start = make_api(fly, clock), dump(fly.world)
        async with api.client:
            for _ in range(2):
                await api.app()
                await api.machine()
                assert [(await api.get("/apps/shop")).status_code for _ in range(2)] == [503, 200]
                await control(api, "POST", "/time", {"advance": 3600})
                await control(api, "POST", "/faults", {"rules": "changes: 500"})
                await control(api, "PUT", "/capacity", {"region": "iad", "memory_mb": 0})
                await control(api, "POST", "/incidents", {"kind": "region_unlisted", "name": "iad"})
                await control(api, "POST", "/reset")
                assert dump(fly.world) == start
                assert fly.now() == clock.time()
                assert (await control(api, "GET", "/journal"))["entries"] == []


async def test_a_snapshot_is_put_back_and_who_waits_is_told(api: Api) -> None:
    machine = await api.machine()
    await api.post("/apps/shop/secrets", {"values": {"TOKEN": "a dummy value"}})
    kept = await control(api, "GET", "/snapshot")
    assert (await api.delete("/apps/shop")).status_code == 202
    answers = []

    async def wait() -> None:
        answers.append(await api.get(f"/apps/late/machines/{late['id']}/wait?state=stopped"))

    await api.app("late")
    late = await api.machine("late")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await control(api, "PUT", "/snapshot", kept)
    assert answers[0].status_code == 404
    assert await control(api, "GET", "/snapshot") == kept
    assert await api.state(machine) == "started"
    assert (await api.get("/apps/late")).status_code == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda kept: kept | {"format": 99}, "format: 99 is not 1"),
        (lambda kept: kept | {"apps": 1}, "not a world of the emulator"),
        (lambda kept: kept | {"surprise": 1}, "surprise"),
        (lambda kept: kept | {"hosts": []}, "is on host 'iad-00', which is not there"),
        (lambda kept: kept | {"apps": []}, "is of app 'shop', which is not there"),
        (lambda kept: kept | {"machines": []}, "app 'shop' has"),
        (
            lambda kept: kept | {"machines": [{**kept["machines"][0], "versions": []}]},
            "has no config",
        ),
    ],
)
async def test_what_is_no_snapshot_is_refused_and_changes_nothing(
    api: Api, change: Any, told: str
) -> None:
    await api.machine()
    kept = await control(api, "GET", "/snapshot")
    status, document = await refused(api, "PUT", "/snapshot", change(kept))
    assert status == 422
    assert told in document["error"]
    assert document["problems"][0]["hint"]
    assert await control(api, "GET", "/snapshot") == kept


async def test_time_passes_with_all_that_happens_in_it(api: Api) -> None:
    machine = await api.machine(lease_ttl=600, settle=False)
    path = f"/apps/shop/machines/{machine['id']}"
    assert await api.state(machine) != "started"
    waited = []

    async def wait() -> None:
        waited.append((await api.get(f"{path}/wait?state=started")).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        before = api.fly.now()
        assert "now" in await control(api, "POST", "/time", {"advance": 2.5})
    assert waited == [200]
    assert api.fly.now() == before + 2.5
    assert (await api.get(path)).json()["checks"][0]["status"] == "passing"
    assert (await api.post(f"{path}/stop")).status_code == 409
    api.fly.control.advance(600)
    assert (await api.post(f"{path}/stop")).status_code == 200


async def test_faults_come_and_go(api: Api) -> None:
    added = await control(
        api, "POST", "/faults", {"rules": "Apps_show: 503 times=2; reads: latency=0.1..0.2 p=0.5"}
    )
    assert [one["id"] for one in added["faults"]] == [1, 2]
    assert (await api.get("/apps/shop")).status_code == 503
    listed = (await control(api, "GET", "/faults"))["faults"]
    assert listed[0] == {"id": 1, "rule": "Apps_show: 503 times=2", "matched": 1, "struck": 1}
    assert listed[1]["rule"] == "reads: latency=0.1..0.2 p=0.5"
    await control(api, "DELETE", "/faults/1")
    assert (await api.get("/apps/shop")).status_code == 200
    assert [one.id for one in api.fly.control.faults] == [2]
    assert (await refused(api, "DELETE", "/faults/1"))[0] == 404
    await control(api, "DELETE", "/faults")
    again = await control(api, "POST", "/faults", {"rules": "changes: lost"})
    assert again["faults"][0]["id"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "*: 503",
        "Apps_show, changes: reset after p=0.25 skip=2 times=3",
        "reads: latency=0.5",
        "*: latency=0.5..1",
        "*: html",
        "*: hang after",
        "*: refuse",
        "*: 500 after",
    ],
)
def test_a_rule_is_told_as_it_is_written(text: str) -> None:
    assert parse_faults(text).rules[0].text == text


async def test_room_of_regions_and_hosts(api: Api) -> None:
    await control(api, "PUT", "/capacity", {"region": "iad", "memory_mb": 0})
    full = await api.post("/apps/shop/machines", {"config": CONFIG, "region": "iad"})
    assert full.status_code == 412
    changed = await control(api, "PUT", "/capacity", {"host": "iad-03", "memory_mb": 256})
    assert [(one["host"], one["memory_mb"]) for one in changed["hosts"]] == [("iad-03", 256)]
    await api.machine(region="iad")
    hosts = (await control(api, "GET", "/capacity"))["hosts"]
    assert [one["host"] for one in hosts if one["used_mb"]] == ["iad-03"]
    again = await api.post("/apps/shop/machines", {"config": CONFIG, "region": "iad"})
    assert again.status_code == 412


async def test_incidents_begin_and_end(api: Api) -> None:
    machine = await api.machine()
    host = api.fly.world.machines[machine["id"]].host
    path = f"/apps/shop/machines/{machine['id']}"
    begun = await control(api, "POST", "/incidents", {"kind": "host_lost", "name": host})
    assert (await api.get(path)).json()["host_status"] == "unreachable"
    region = {"kind": "region_unlisted", "name": machine["region"]}
    await control(api, "POST", "/incidents", region)
    assert (await api.get("/apps/shop/machines")).json() == []
    listed = (await control(api, "GET", "/incidents"))["incidents"]
    assert [one["id"] for one in listed] == [f"host_lost:{host}", "region_unlisted:iad"]
    await control(api, "DELETE", f"/incidents/{begun['id']}")
    assert (await api.get(path)).json()["host_status"] == "ok"
    assert (await refused(api, "DELETE", f"/incidents/{begun['id']}"))[0] == 404
    await control(api, "DELETE", "/incidents")
    assert len((await api.get("/apps/shop/machines")).json()) == 1


async def test_the_journal_is_filtered_and_control_is_not_in_it(api: Api) -> None:
    await api.app("other")
    await api.get("/apps/shop")
    await api.get("/apps/none")
    await control(api, "GET", "/faults")

    async def seen(query: str) -> list[tuple[int, str]]:
        entries = (await control(api, "GET", f"/journal?{query}"))["entries"]
        return [(entry["seq"], entry["operation"]) for entry in entries]

    assert [seq for seq, _ in await seen("")] == [1, 2, 3, 4]
    assert await seen("app=shop") == [(3, "Apps_show")]
    assert await seen("operation=Apps_create&limit=1") == [(2, "Apps_create")]
    assert await seen("status=404&after=1") == [(4, "Apps_show")]
    await control(api, "DELETE", "/journal")
    await api.get("/apps/shop")
    assert [seq for seq, _ in await seen("")] == [5]


async def test_a_journal_may_keep_the_latest_only() -> None:
    async with Emulator(keep_journal=3) as fly:
        api = make_api(fly, None)
        async with api.client:
            for _ in range(20):
                await api.get("/apps/shop")
        assert 3 <= len(fly.journal.entries) <= 6
        assert fly.journal.entries[-1].seq == 20


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "place", "told"),
    [
        ("POST", "/time", {}, 422, "advance", "is missing"),
        ("POST", "/time", {"advance": "1h"}, 422, "advance", "'1h' is no number"),
        ("POST", "/time", {"advance": True}, 422, "advance", "True is no number"),
        ("POST", "/time", {"advance": -1}, 422, "advance", "-1 seconds cannot pass"),
        ("POST", "/time", {"advance": 10**400}, 422, "advance", "cannot pass at once"),
        ("POST", "/time", {"advance": 1, "advanced": 1}, 422, "advanced", "is not known"),
        ("POST", "/faults", {"rules": ""}, 422, "rules", "'' is no text"),
        ("POST", "/faults", {"rules": "seed=4"}, 422, "rules", "has no rule"),
        ("POST", "/faults", {"rules": ["503"]}, 422, "rules", "is no text"),
        ("POST", "/faults", {"rules": "Machine_create: 503"}, 422, "faults", "Machines_create"),
        ("DELETE", "/faults/first", None, 422, "fault", "'first' is no whole number"),
        ("PUT", "/capacity", {"memory_mb": 1}, 422, "host", "is missing"),
        ("PUT", "/capacity", {"host": "a", "region": "b"}, 422, "host", "either host or region"),
        ("PUT", "/capacity", {"host": "iad-00", "memory_mb": -1}, 422, "memory_mb", "-1"),
        ("PUT", "/capacity", {"host": "iad-00", "memory_mb": 1 << 50}, 422, "memory_mb", "size"),
        ("PUT", "/capacity", {"host": "iad-0", "memory_mb": 1}, 404, None, "no host 'iad-0'"),
        ("PUT", "/capacity", {"region": "iat", "memory_mb": 1}, 404, None, "no region 'iat'"),
        ("POST", "/incidents", {"kind": "flood", "name": "iad"}, 422, "kind", "'flood'"),
        ("POST", "/incidents", {"kind": "host_lost", "name": "iad"}, 404, None, "no host 'iad'"),
        ("GET", "/journal?limit=5000", None, 422, "limit", "5000 is no"),
        ("GET", "/journal?stat=404", None, 422, "stat", "is not known"),
        ("GET", "/nothing", None, 404, None, "no such path"),
        ("GET", "/reset", None, 405, None, "has no GET"),
        ("POST", "/reset", [1], 400, None, "not a JSON object"),
    ],
)
async def test_what_is_wrong_is_told_with_place_value_and_hint(
    api: Api, method: str, path: str, body: Any, status: int, place: str | None, told: str
) -> None:
    found, document = await refused(api, method, path, body)
    assert found == status
    assert told in document["error"]
    problems = document.get("problems", [])
    assert [problem["place"] for problem in problems] == ([place] if place else [])
    assert all(one["hint"] for one in problems or [document])


async def test_functions_refuse_what_http_refuses(api: Api) -> None:
    with pytest.raises(ConfigError, match="cannot pass at once"):
        api.fly.control.advance(float("nan"))
    with pytest.raises(NotThere):
        api.fly.control.begin_incident("region_unlisted", "moon")
    with pytest.raises(NotThere):
        api.fly.control.remove_fault(1)


async def test_a_kept_world_is_controlled_too(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    async with Emulator(clock=clock, file=file) as one, Emulator(clock=clock, file=file) as other:
        api = make_api(one, clock)
        async with api.client:
            await api.app()
            await control(api, "POST", "/time", {"advance": 60})
            await control(api, "POST", "/incidents", {"kind": "region_unlisted", "name": "lhr"})
        other_api = make_api(other, clock)
        async with other_api.client:
            assert (await other_api.get("/apps/shop")).status_code == 200
        assert other.now() == clock.time() + 60
        assert [one.id for one in other.control.incidents] == ["region_unlisted:lhr"]
    assert json.loads(file.read_text())["ahead"] == 60
