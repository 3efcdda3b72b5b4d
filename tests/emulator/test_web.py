"""Releases, builds, organizations and logs, as flyctl asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from fly_emulator import Emulator, EmulatorSettings, Organization, Principal
from tests.emulator.client import CONFIG, Api, HandClock, make_api

RELEASE = {
    "app_name": "shop",
    "definition": {"app": "shop"},
    "image": "nginx:1.25",
    "strategy": "ROLLING",
}


async def call(api: Api, method: str, path: str, body: Any = None) -> httpx.Response:
    return await api.client.request(method, f"/api/v1{path}", json=body)


async def release(api: Api, **changes: Any) -> dict[str, Any]:
    response = await call(api, "POST", "/releases", {**RELEASE, **changes})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()["release"]
    return made


async def test_releases_are_numbered_and_listed_newest_first(api: Api) -> None:
    first, second = await release(api), await release(api, image="nginx:1.27")
    assert (first["version"], second["version"]) == (1, 2)
    assert (first["status"], first["in_progress"]) == ("pending", True)
    listed = (await call(api, "GET", "/apps/shop/releases?limit=20")).json()["releases"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert len((await call(api, "GET", "/apps/shop/releases?limit=1")).json()["releases"]) == 1
    assert (await call(api, "GET", "/apps/shop/releases/current")).json()["version"] == 2
    current = (await call(api, "GET", "/releases/all_current")).json()
    assert current == {"shop": second["created_at"]}


@pytest.mark.parametrize(
    ("status", "in_progress"),
    [("running", True), ("complete", False), ("failed", False), ("interrupted", False)],
)
async def test_a_release_moves_on(api: Api, status: str, in_progress: bool) -> None:
    made = await release(api)
    update = {"status": status, "metadata": None}
    changed = (await call(api, "PATCH", f"/releases/{made['id']}", update)).json()
    assert (changed["status"], changed["in_progress"]) == (status, in_progress)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/releases", {**RELEASE, "app_name": "nothing"}, 404),
        ("POST", "/releases", {**RELEASE, "app_name": ""}, 400),
        ("POST", "/releases", {**RELEASE, "definition": "text"}, 400),
        ("PATCH", "/releases/unknown", {"status": "complete"}, 404),
        ("GET", "/apps/shop/releases/current", None, 404),
        ("GET", "/apps/nothing/logs", None, 404),
        ("GET", "/apps/shop/logs?next_token=x", None, 400),
        ("GET", "/organizations/nothing", None, 404),
        ("POST", "/builds/finish", {"app_name": "shop", "build_id": 99, "status": "x"}, 404),
        ("GET", "/nothing", None, 404),
    ],
)
async def test_what_is_wrong_is_refused(
    api: Api, method: str, path: str, body: Any, status: int
) -> None:
    assert (await call(api, method, path, body)).status_code == status


async def test_an_unknown_status_is_refused(api: Api) -> None:
    made = await release(api)
    answer = await call(api, "PATCH", f"/releases/{made['id']}", {"status": "perfect"})
    assert answer.status_code == 422


async def test_releases_of_others_are_not_found() -> None:
    settings = EmulatorSettings(
        rate_limits=False,
        organizations=(Organization(slug="a", name="A"), Organization(slug="b", name="B")),
        tokens={
            "token": Principal(organizations=frozenset({"a"})),
            "other": Principal(organizations=frozenset({"b"})),
        },
    )
    clock = HandClock()
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app(org_slug="a")
            made = await release(api)
            api.client.headers["authorization"] = "Bearer other"
            path, body = f"/releases/{made['id']}", {"status": "failed"}
            assert (await call(api, "PATCH", path, body)).status_code == 404
            assert (await call(api, "POST", "/releases", RELEASE)).status_code == 403
            found = (await call(api, "GET", "/organizations")).json()["organizations"]
            assert [one["slug"] for one in found] == ["b"]


async def test_builds_begin_and_end(api: Api) -> None:
    begun = (await call(api, "POST", "/builds", {"app_name": "shop"})).json()
    assert begun["status"] == "started"
    api.later(2)
    body = {"app_name": "shop", "build_id": begun["id"], "status": "completed"}
    ended = (await call(api, "POST", "/builds/finish", body)).json()
    assert ended == {"id": begun["id"], "status": "completed", "wallclock_time_ms": 2000}


async def test_logs_tell_what_happened_to_machines(api: Api) -> None:
    machine = await api.machine(config={**CONFIG, "env": {"EMULATE_EXIT": "3"}}, settle=False)
    api.later(1.0)
    path = f"/apps/shop/logs?instance={machine['id']}"
    answer = (await call(api, "GET", path)).json()
    lines = [line["attributes"]["message"] for line in answer["data"]]
    assert lines[:3] == [
        "Pulling container image nginx:1.25",
        "Machine started",
        "Main child exited with code: 3",
    ]
    token = answer["meta"]["next_token"]
    assert (await call(api, "GET", f"{path}&next_token={token}")).json()["data"] == []
    assert (await call(api, "GET", "/apps/shop/logs?instance=other")).json()["data"] == []
    assert (await call(api, "GET", "/apps/shop/logs?region=ams")).json()["data"] == []


async def test_releases_are_kept_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    async with Emulator(file=file, clock=HandClock()) as fly:
        api = make_api(fly, None)
        async with api.client:
            await api.app()
            made = await release(api)
    async with Emulator(file=file, clock=HandClock()) as fly:
        api = make_api(fly, None)
        async with api.client:
            assert (await call(api, "GET", "/apps/shop/releases/current")).json() == made


@pytest.mark.parametrize(
    ("body", "status"),
    [({"ticket": "dGlja2V0"}, 200), ({"ticket": "ticket?"}, 400), ({"ticket": 5}, 400), ({}, 400)],
)
async def test_discharges_are_for_tickets(api: Api, body: dict[str, Any], status: int) -> None:
    path = "/aaa/v1/.well-known/macfly/3p"
    headers = {"authorization": "Bearer of-a-user"}
    response = await api.client.post(path, json=body, headers=headers)
    assert response.status_code == status
