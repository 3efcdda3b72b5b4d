from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import CONFIG, Api

NONCE = "fly-machine-lease-nonce"


@pytest.fixture
async def held(api: Api) -> tuple[Api, str, dict[str, str]]:
    """A machine with a lease of 30 seconds: API, path, headers with the nonce."""
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    answer = await api.post(f"{path}/lease", {"ttl": 30, "description": "deploy"})
    assert answer.status_code == 201
    assert answer.json()["status"] == "success"
    data = answer.json()["data"]
    assert data["version"] == machine["instance_id"]
    assert data["expires_at"] == int(api.fly.clock.time()) + 30
    return api, path, {NONCE: data["nonce"]}


CHANGES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "", {"config": CONFIG}),
    ("POST", "/start", None),
    ("POST", "/stop", None),
    ("POST", "/suspend", None),
    ("POST", "/restart", None),
    ("POST", "/cordon", None),
    ("POST", "/uncordon", None),
    ("DELETE", "?force=true", None),
]


@pytest.mark.parametrize(("method", "suffix", "body"), CHANGES)
async def test_a_leased_machine_refuses_others(
    held: tuple[Api, str, dict[str, str]], method: str, suffix: str, body: Any
) -> None:
    api, path, mine = held
    for headers in ({}, {NONCE: "wrong"}):
        response = await api.call(method, path + suffix, json=body, headers=headers)
        assert response.status_code == 409
        assert (
            "lease currently held by user@example.com, expires at 2023-" in response.json()["error"]
        )
    assert (await api.call(method, path + suffix, json=body, headers=mine)).status_code == 200


@pytest.mark.parametrize(("method", "suffix", "body"), CHANGES)
async def test_a_lease_ends_by_itself(
    held: tuple[Api, str, dict[str, str]], method: str, suffix: str, body: Any
) -> None:
    api, path, _ = held
    api.later(30)
    assert (await api.get(f"{path}/lease")).status_code == 404
    assert (await api.call(method, path + suffix, json=body)).status_code == 200


async def test_metadata_can_be_set_beside_a_lease(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, _ = held
    assert (await api.post(f"{path}/metadata/a", {"value": "b"})).status_code == 204


async def test_only_one_can_hold_a_lease(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, _ = held
    answer = await api.post(f"{path}/lease", {"ttl": 5})
    assert answer.status_code == 409
    assert answer.json()["status"] == "error"
    assert answer.json()["code"] == "invalid"
    assert "lease currently held by" in answer.json()["message"]


async def test_refreshing_keeps_the_nonce(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, mine = held
    api.later(20)
    answer = await api.post(f"{path}/lease?ttl=13", headers=mine)
    assert answer.status_code == 201
    assert answer.json()["data"]["nonce"] == mine[NONCE]
    assert answer.json()["data"]["expires_at"] == int(api.fly.clock.time()) + 13
    shown = (await api.get(f"{path}/lease")).json()["data"]
    assert (shown["description"], shown["nonce"]) == ("deploy", mine[NONCE])


async def test_a_lapsed_lease_cannot_be_refreshed(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, mine = held
    api.later(31)
    answer = await api.post(f"{path}/lease?ttl=13", headers=mine)
    assert (answer.status_code, answer.json()["message"]) == (404, "lease not found")


async def test_releasing(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, mine = held
    assert (await api.delete(f"{path}/lease")).status_code == 400
    assert (await api.delete(f"{path}/lease", headers={NONCE: "wrong"})).status_code == 409
    assert (await api.delete(f"{path}/lease", headers=mine)).json() == {
        "status": "success",
        "data": {"ok": True},
    }
    assert (await api.delete(f"{path}/lease", headers=mine)).status_code == 404
    assert (await api.post(f"{path}/stop")).status_code == 200


async def test_a_machine_can_be_born_with_a_lease(api: Api) -> None:
    machine = await api.machine(lease_ttl=10)
    path = f"/apps/shop/machines/{machine['id']}"
    assert (await api.post(f"{path}/stop")).status_code == 409
    assert "nonce" not in (await api.get(path)).json()
    assert (await api.post(f"{path}/stop", headers={NONCE: machine["nonce"]})).status_code == 200


@pytest.mark.parametrize("ttl", [0, -1, "soon", 10**9])
async def test_times_to_live_are_checked(api: Api, ttl: object) -> None:
    machine = await api.machine()
    answer = await api.post(f"/apps/shop/machines/{machine['id']}/lease", {"ttl": ttl})
    assert answer.status_code == 400


async def test_the_lease_ends_with_the_machine(held: tuple[Api, str, dict[str, str]]) -> None:
    api, path, mine = held
    await api.delete(f"{path}?kill=true", headers=mine)
    api.later(1)
    assert (await api.delete(f"{path}/lease", headers=mine)).status_code == 404
