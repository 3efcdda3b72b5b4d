from __future__ import annotations

import httpx
import pytest

from fly_emulator import Emulator, EmulatorSettings, Organization, Principal
from tests.emulator.client import CONFIG, Api, HandClock, make_api


async def test_a_new_app_is_pending_until_it_has_a_machine(api: Api) -> None:
    before = (await api.get("/apps/shop")).json()
    assert (before["status"], before["machine_count"]) == ("pending", 0)
    await api.machine()
    after = (await api.get("/apps/shop")).json()
    assert (after["status"], after["machine_count"]) == ("deployed", 1)
    assert after["organization"] == {
        "name": "Personal",
        "slug": "personal",
        "internal_numeric_id": 1,
    }


async def test_a_name_is_taken_once(api: Api) -> None:
    response = await api.post("/apps", {"name": "shop", "org_slug": "personal"})
    assert response.status_code == 422
    assert response.json()["status"] == "name_taken"
    assert (await api.delete("/apps/shop")).status_code == 202
    assert (await api.get("/apps/shop")).status_code == 404
    assert (await api.post("/apps", {"name": "shop"})).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": 3}, 400),
        ({"name": "Shop"}, 422),
        ({"name": "a" * 64}, 422),
        ({"name": "-a"}, 422),
        ({"name": "b", "org_slug": "nobody"}, 404),
        ({"name": "a" * 63}, 201),
    ],
)
async def test_names_are_checked(api: Api, body: dict[str, object], status: int) -> None:
    assert (await api.post("/apps", body)).status_code == status


async def test_deleting_removes_everything(api: Api) -> None:
    volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()
    config = {**CONFIG, "mounts": [{"volume": volume["id"], "path": "/data"}]}
    machine = await api.machine(config=config)
    assert (await api.delete("/apps/shop")).status_code == 202
    await api.app()
    assert (await api.get("/apps/shop/machines")).json() == []
    assert (await api.get("/apps/shop/volumes")).json() == []
    assert (await api.get(f"/apps/shop/machines/{machine['id']}")).status_code == 404
    assert all(host.used_mb == 0 for host in api.fly.world.hosts.values())


async def test_lists_need_an_organization(api: Api) -> None:
    await api.app("db", app_role_id="postgres_cluster")
    assert (await api.get("/apps")).status_code == 400
    everything = (await api.get("/apps", params={"org_slug": "personal"})).json()
    assert [app["name"] for app in everything["apps"]] == ["shop", "db"]
    assert everything["total_apps"] == 2
    params = {"org_slug": "personal", "app_role": "postgres_cluster"}
    assert (await api.get("/apps", params=params)).json()["total_apps"] == 1


async def test_new_apps_are_seen_after_a_while() -> None:
    clock = HandClock()
    async with Emulator(EmulatorSettings(visibility_delay=2), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            assert (await api.get("/apps/shop")).status_code == 404
            machine = await api.machine(settle=False)
            clock.now += 2
            assert (await api.get("/apps/shop")).status_code == 200
            assert await api.state(machine) == "started"


async def test_waiting_for_a_new_app() -> None:
    async with Emulator(EmulatorSettings(visibility_delay=0.01)) as fly:
        api = make_api(fly, None)
        async with api.client:
            response = await api.post("/apps?wait=true", {"name": "shop"})
            assert response.status_code == 201
            assert (await api.get("/apps/shop")).status_code == 200


async def test_tokens_decide_who_may_do_what() -> None:
    settings = EmulatorSettings(
        organizations=(
            Organization(slug="personal", name="P"),
            Organization(slug="acme", name="A"),
        ),
        tokens={
            "mine": Principal(user="me@example.com", organizations=frozenset({"personal"})),
            "theirs": Principal(user="you@example.com", organizations=frozenset({"acme"})),
        },
    )
    async with (
        Emulator(settings) as fly,
        httpx.AsyncClient(transport=fly.transport(), base_url="http://fly/v1") as client,
    ):

        async def status(
            method: str, path: str, authorization: str | None, body: object = None
        ) -> int:
            headers = {} if authorization is None else {"authorization": authorization}
            return (await client.request(method, path, headers=headers, json=body)).status_code

        body = {"name": "shop", "org_slug": "acme"}
        assert await status("POST", "/apps", None, body) == 401
        assert await status("POST", "/apps", "Bearer unknown", body) == 401
        assert await status("POST", "/apps", "Bearer mine", body) == 403
        assert await status("POST", "/apps", "FlyV1 theirs", body) == 201
        assert await status("GET", "/apps/shop", "theirs") == 200
        assert await status("GET", "/apps/shop", "Bearer mine") == 403
        assert await status("GET", "/apps/shop/machines", "Bearer mine") == 403
        answer = await client.get("/tokens/current", headers={"authorization": "Bearer theirs"})
        (token,) = answer.json()["tokens"]
        assert (token["org_slug"], token["apps"], token["user"]) == (
            "acme",
            ["shop"],
            "you@example.com",
        )
