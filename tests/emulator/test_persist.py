from __future__ import annotations

import json
from pathlib import Path

import pytest

from fly_emulator import Emulator
from fly_emulator.persist import FORMAT, dump
from score_flyio.errors import StateCorrupt, StateTooNew
from tests.emulator.client import CONFIG, Api, HandClock, make_api


async def busy(file: Path, clock: HandClock) -> Api:
    fly = Emulator(clock=clock, file=file)
    api = make_api(fly, clock)
    await api.app()
    volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()
    config = {**CONFIG, "mounts": [{"volume": volume["id"], "path": "/data"}]}
    await api.post(f"/apps/shop/volumes/{volume['id']}/snapshots")
    await api.machine(config=config, lease_ttl=30, settle=False)
    await api.machine(settle=False)
    await api.post("/apps/shop/secrets", {"values": {"A": "one"}})
    await api.post("/apps/shop/ip_assignments", {"type": "v6"})
    await api.post("/apps/shop/certificates/acme", {"hostname": "a.example.com"})
    return api


async def test_a_world_goes_on_where_it_was(tmp_path: Path) -> None:
    file, clock = tmp_path / "deep" / "world.json", HandClock()
    before = await busy(file, clock)
    before.fly.close()
    await before.client.aclose()
    assert file.stat().st_mode & 0o777 == 0o600
    clock.now += 5
    async with Emulator(clock=clock, file=file) as fly:
        assert dump(fly.world) == json.loads(file.read_text())
        api = make_api(fly, clock)
        async with api.client:
            machines = (await api.get("/apps/shop/machines")).json()
            assert [machine["state"] for machine in machines] == ["started", "started"]
            path = f"/apps/shop/machines/{machines[0]['id']}"
            assert (await api.post(f"{path}/stop")).status_code == 409
            assert (await api.get("/apps/shop/secrets?min_version=1")).status_code == 200
            ids = {machine["id"] for machine in machines}
            assert (await api.machine())["id"] not in ids


async def test_changes_are_kept_as_they_come(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    fly = Emulator(clock=clock, file=file)
    api = make_api(fly, clock)
    async with api.client:
        await api.app()
    check_kept(file)


def check_kept(file: Path) -> None:
    assert [app["name"] for app in json.loads(file.read_text())["apps"]] == ["shop"]
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": 1}', '{"format": 1, "sequence": "x", "apps": 3}', "\xff"],
)
def test_a_file_that_cannot_be_read_is_named_and_kept(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(StateCorrupt) as caught:
        Emulator(file=file)
    assert str(file) in str(caught.value)
    assert caught.value.hint
    assert file.read_text(encoding="latin-1") == text


def test_a_file_of_a_newer_version(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    file.write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(StateTooNew):
        Emulator(file=file)
