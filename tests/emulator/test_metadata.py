from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import CONFIG, Api


async def machine(api: Api) -> tuple[str, str]:
    document = await api.machine(config={**CONFIG, "metadata": {"a": "1", "b": "2"}})
    return f"/apps/shop/machines/{document['id']}", document["instance_id"]


async def test_keys_are_set_and_removed_without_a_new_version(api: Api) -> None:
    path, version = await machine(api)
    assert (await api.post(f"{path}/metadata/c", {"value": "3"})).status_code == 204
    assert (await api.delete(f"{path}/metadata/a")).status_code == 204
    assert (await api.delete(f"{path}/metadata/a")).status_code == 204
    document = (await api.get(path)).json()
    assert document["config"]["metadata"] == {"b": "2", "c": "3"}
    assert (document["instance_id"], document["state"]) == (version, "started")
    assert (await api.get(f"{path}/metadata")).json() == {"b": "2", "c": "3"}
    assert (await api.get(f"{path}/metadata/c")).json() == {"value": "3"}
    assert (await api.get(f"{path}/metadata/a")).status_code == 404


@pytest.mark.parametrize(
    ("method", "after"), [("PUT", {"a": "9", "c": "3"}), ("PATCH", {"a": "9", "c": "3"})]
)
async def test_many_at_once(api: Api, method: str, after: dict[str, str]) -> None:
    path, version = await machine(api)
    body: dict[str, Any] = {"metadata": {"a": "9", "b": None, "c": "3", "d": ""}}
    stale = {**body, "machine_version": "0" * 26}
    assert (await api.call(method, f"{path}/metadata", json=stale)).status_code == 412
    fresh = {**body, "machine_version": version}
    assert (await api.call(method, f"{path}/metadata", json=fresh)).status_code == 204
    assert (await api.get(f"{path}/metadata")).json() == after


async def test_put_replaces_and_patch_merges(api: Api) -> None:
    path, _ = await machine(api)
    await api.call("PATCH", f"{path}/metadata", json={"metadata": {"c": "3"}})
    assert (await api.get(f"{path}/metadata")).json() == {"a": "1", "b": "2", "c": "3"}
    await api.call("PUT", f"{path}/metadata", json={"metadata": {"c": "3"}})
    assert (await api.get(f"{path}/metadata")).json() == {"c": "3"}


@pytest.mark.parametrize("body", [{}, {"value": 3}, {"metadata": {"a": 3}}, {"metadata": []}])
async def test_values_are_texts(api: Api, body: dict[str, Any]) -> None:
    path, _ = await machine(api)
    assert (await api.post(f"{path}/metadata/a", body)).status_code == 400
    assert (await api.call("PATCH", f"{path}/metadata", json=body)).status_code == 400
