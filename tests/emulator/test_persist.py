from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.world_file import FORMAT, dump
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


async def test_a_change_costs_what_changed_however_much_there_is(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    async with Emulator(EmulatorSettings(rate_limits=False), clock=clock, file=file) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            machines = [await api.machine() for _ in range(30)]
            before, path = file.read_bytes(), f"/apps/shop/machines/{machines[0]['id']}"
            await api.post(f"{path}/metadata/mark", {"value": "set"})
            after = file.read_bytes()
            assert after.startswith(before)
            added = after.removeprefix(before)
            assert machines[0]["id"].encode() in added
            assert machines[1]["id"].encode() not in added
            assert len(added) < len(before) / 10
            read = await read_again(file, clock, f"{path}/metadata")
            assert read == {"mark": "set"}
    assert json.loads(file.read_text()) == dump(fly.world)


async def read_again(file: Path, clock: HandClock, path: str) -> Any:
    api = make_api(Emulator(clock=clock, file=file), clock)
    async with api.client:
        return (await api.get(path)).json()


async def test_changes_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fly_emulator.world_file.FEW", 10_000)
    file, clock = tmp_path / "world.json", HandClock()
    fly = Emulator(clock=clock, file=file)
    api = make_api(fly, clock)
    async with api.client:
        await api.app()
        path = f"/apps/shop/machines/{(await api.machine())['id']}/metadata/mark"
        for number in range(100):
            assert (await api.post(path, {"value": str(number)})).is_success
            api.later(1)
        whole = len(json.dumps(dump(fly.world)))
        assert file.stat().st_size < 2 * whole + 10_000
        assert await read_again(file, clock, path) == {"value": "99"}


async def test_what_a_killed_process_had_half_written_is_left_out(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    killed = make_api(Emulator(clock=clock, file=file), clock)
    async with killed.client:
        await killed.app()
        await killed.app("half")
    file.write_bytes(file.read_bytes()[:-20])
    api = make_api(Emulator(clock=clock, file=file), clock)
    async with api.client:
        assert (await api.get("/apps/half")).status_code == 404
        assert (await api.get("/apps/shop")).status_code == 200
        await api.app("next")
    assert (await read_again(file, clock, "/apps/next"))["name"] == "next"


async def test_processes_with_one_file_see_and_keep_what_each_does(tmp_path: Path) -> None:
    file, clock = tmp_path / "world.json", HandClock()
    looking = Emulator(clock=clock, file=file)
    one, other = Emulator(clock=clock, file=file), Emulator(clock=clock, file=file)
    first, second, third = (make_api(fly, clock) for fly in (one, other, looking))
    async with first.client, second.client, third.client:
        await first.app()
        made = [await api.machine() for api in (first, second, first, second)]
        assert len({machine["id"] for machine in made}) == 4
        for fly in (one, looking, other):
            fly.close()
        for api in (first, second, third):
            listed = (await api.get("/apps/shop/machines")).json()
            assert {each["id"] for each in listed} == {machine["id"] for machine in made}
    one.close()
    kept = json.loads(file.read_text())
    assert len(kept["machines"]) == 4


async def test_a_wait_sees_what_another_process_does(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    one, other = Emulator(file=file), Emulator(file=file)
    first, second = make_api(one, None), make_api(other, None)
    async with first.client, second.client:
        await first.app()
        machine = await first.machine(settle=False)
        path = f"/apps/shop/machines/{machine['id']}"
        await first.get(f"{path}/wait?state=started")
        found: list[int] = []

        async def wait() -> None:
            answer = await second.get(f"{path}/wait?state=stopped&timeout=60")
            found.append(answer.status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            assert (await first.post(f"{path}/stop")).status_code == 200
        assert found == [200]


def check_kept(file: Path) -> None:
    assert list(Emulator(file=file).world.apps) == ["shop"]
    assert {each.name for each in file.parent.iterdir()} == {file.name, f".{file.name}.lock"}


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
