from __future__ import annotations

from typing import Any

import attrs
import pytest

from fly_emulator import Emulator, EmulatorSettings
from tests.emulator.client import CONFIG, Api, HandClock, make_api

PATH = "/apps/shop/secrets"


async def test_many_at_once_with_one_version(api: Api) -> None:
    answer = (await api.post(PATH, {"values": {"B": "two", "A": "one"}})).json()
    assert answer["version"] == 1
    assert [secret["name"] for secret in answer["secrets"]] == ["A", "B"]
    answer = (await api.post(PATH, {"values": {"A": None, "C": "three"}})).json()
    assert answer["version"] == 2
    listed = (await api.get(PATH)).json()["secrets"]
    assert [secret["name"] for secret in listed] == ["B", "C"]
    assert all("value" not in secret for secret in listed)


async def test_digests_tell_values_apart(api: Api) -> None:
    async def digest(value: str) -> str:
        return str((await api.post(f"{PATH}/A", {"value": value})).json()["digest"])

    first, second, again = [await digest(value) for value in ("one", "two", "one")]
    assert first != second
    assert first == again
    assert "one" not in first


async def test_values_are_shown_on_demand(api: Api, settings: EmulatorSettings) -> None:
    await api.post(PATH, {"values": {"A": "one"}})
    query = "?show_secrets=true"
    assert (await api.get(PATH + query)).json()["secrets"][0]["value"] == "one"
    assert (await api.get(f"{PATH}/A{query}")).json()["value"] == "one"
    clock = HandClock()
    async with Emulator(attrs.evolve(settings, show_secrets=False), clock=clock) as fly:
        other = make_api(fly, clock)
        async with other.client:
            await other.app()
            await other.post(PATH, {"values": {"A": "one"}})
            assert "value" not in (await other.get(f"{PATH}/A{query}")).json()


async def test_one_at_a_time(api: Api) -> None:
    answer = await api.post(f"{PATH}/A", {"value": "one"})
    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    assert (await api.get(f"{PATH}/A")).json()["name"] == "A"
    assert (await api.delete(f"{PATH}/A")).json()["version"] == 2
    assert (await api.delete(f"{PATH}/A")).json()["version"] == 3
    assert (await api.get(f"{PATH}/A")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"values": []}, {"values": {"A-B": "x"}}, {"values": {"A": 1}}, {"values": {"": "x"}}],
)
async def test_what_is_refused_changes_nothing(api: Api, body: dict[str, Any]) -> None:
    if isinstance(body.get("values"), dict):
        body = {"values": {"GOOD": "x", **body["values"]}}
    assert (await api.post(PATH, body)).status_code == 400
    assert (await api.get(PATH)).json() == {"secrets": []}
    assert api.fly.world.apps["shop"].secrets_version == 0


async def test_machines_can_ask_for_a_version_of_the_secrets(api: Api) -> None:
    body = {"config": CONFIG, "min_secrets_version": 1}
    assert (await api.post("/apps/shop/machines", body)).status_code == 412
    assert (await api.get(f"{PATH}?min_version=1")).status_code == 412
    await api.post(PATH, {"values": {"A": "one"}})
    assert (await api.get(f"{PATH}?min_version=1")).status_code == 200
    machine = await api.machine(min_secrets_version=1)
    assert await api.state(machine) == "started"
    assert api.fly.world.machines[machine["id"]].secrets_version == 1
