from __future__ import annotations

from typing import Any

import pytest

from fly_emulator import Emulator, EmulatorSettings
from tests.emulator.client import CONFIG, Api, HandClock, make_api


async def volume(api: Api, **body: Any) -> dict[str, Any]:
    response = await api.post("/apps/shop/volumes", {"name": "data", **body})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def mounted(**mount: Any) -> dict[str, Any]:
    return {**CONFIG, "mounts": [{"path": "/data", **mount}]}


async def test_a_volume_comes_with_the_documented_defaults(api: Api) -> None:
    document = await volume(api, require_unique_zone=None, snapshot_retention=None, size_gb=None)
    assert document["id"].startswith("vol_")
    expected = {
        "name": "data",
        "region": "iad",
        "state": "created",
        "size_gb": 1,
        "encrypted": True,
        "snapshot_retention": 5,
        "auto_backup_enabled": True,
        "attached_machine_id": None,
        "host_status": "ok",
    }
    assert expected.items() <= document.items()
    assert (await api.get(f"/apps/shop/volumes/{document['id']}")).json() == document
    assert (await api.get("/apps/shop/volumes")).json() == [document]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "My Data"}, 400),
        ({"region": "iad,fra"}, 400),
        ({"region": "eu"}, 400),
        ({"size_gb": 0}, 422),
        ({"size_gb": 501}, 422),
        ({"size_gb": "3"}, 400),
        ({"snapshot_retention": 61}, 422),
        ({"compute": "large"}, 400),
        ({"compute": {"cpu_kind": "shared", "cpus": 3}}, 422),
        ({"source_volume_id": "vol_none"}, 404),
        ({"snapshot_id": "vs_none"}, 404),
    ],
)
async def test_what_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    assert (await api.post("/apps/shop/volumes", {"name": "data", **body})).status_code == status
    assert (await api.get("/apps/shop/volumes")).json() == []


async def test_a_machine_has_its_volume_alone(api: Api) -> None:
    data = await volume(api, region="fra")
    machine = await api.machine(config=mounted(volume=data["id"]), region="fra")
    path = f"/apps/shop/volumes/{data['id']}"
    assert (await api.get(path)).json()["attached_machine_id"] == machine["id"]
    assert api.fly.world.machines[machine["id"]].host == api.fly.world.volumes[data["id"]].host
    second = await api.post(
        "/apps/shop/machines", {"config": mounted(volume=data["id"]), "region": "fra"}
    )
    assert second.status_code == 412
    assert (await api.delete(path)).status_code == 412
    await api.delete(f"/apps/shop/machines/{machine['id']}?force=true")
    api.later(1)
    assert (await api.get(path)).json()["attached_machine_id"] is None
    assert (await api.delete(path)).json()["state"] == "pending_destroy"
    assert (await api.get("/apps/shop/volumes")).json() == []
    assert (await api.delete(path)).status_code == 404


async def test_a_machine_goes_where_its_volume_is(api: Api) -> None:
    data = await volume(api, region="fra")
    elsewhere = {"config": mounted(volume=data["id"]), "region": "iad"}
    assert (await api.post("/apps/shop/machines", elsewhere)).status_code == 400
    machine = await api.machine(config=mounted(volume=data["id"]))
    assert machine["region"] == "fra"


async def test_a_volume_can_be_named(api: Api) -> None:
    await volume(api, region="fra")
    data = await volume(api)
    machine = await api.machine(config=mounted(name="data"), region="iad")
    (mount,) = machine["config"]["mounts"]
    assert mount == {
        "path": "/data",
        "name": "data",
        "volume": data["id"],
        "encrypted": True,
        "size_gb": 1,
    }
    another = {"config": mounted(name="data"), "region": "iad"}
    assert (await api.post("/apps/shop/machines", another)).status_code == 422


async def test_an_update_keeps_the_volume_and_may_move_it(api: Api) -> None:
    data = await volume(api)
    machine = await api.machine(config=mounted(volume=data["id"]))
    path = f"/apps/shop/machines/{machine['id']}"
    moved = {**CONFIG, "mounts": [{"path": "/elsewhere", "volume": data["id"]}]}
    assert (await api.post(path, {"config": moved})).status_code == 200
    other = await volume(api)
    for config in (CONFIG, mounted(volume=other["id"])):
        assert (await api.post(path, {"config": config})).status_code == 400


async def test_volumes_of_one_name_are_on_different_hosts() -> None:
    clock = HandClock()
    settings = EmulatorSettings(hosts_per_region=2, rate_limits=False)
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            zones = {(await volume(api))["zone"] for _ in range(2)}
            assert len(zones) == 2
            full = await api.post("/apps/shop/volumes", {"name": "data"})
            assert (full.status_code, full.json()) == (400, {"error": "no capacity"})
            await volume(api, require_unique_zone=False)
            await volume(api, name="other")
            wide = {"name": "third", "unique_zone_app_wide": True}
            assert (await api.post("/apps/shop/volumes", wide)).status_code == 400


async def test_a_full_host_of_a_volume() -> None:
    clock = HandClock()
    settings = EmulatorSettings(hosts_per_region=1, host_memory_mb=256, rate_limits=False)
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            data = await volume(api)
            await api.machine()
            response = await api.post("/apps/shop/machines", {"config": mounted(volume=data["id"])})
            assert response.status_code == 412
            assert response.json()["status"] == "volume_placement"


async def test_volumes_only_grow(api: Api) -> None:
    data = await volume(api, size_gb=3)
    path = f"/apps/shop/volumes/{data['id']}/extend"
    answer = (await api.call("PUT", path, json={"size_gb": 5})).json()
    assert (answer["volume"]["size_gb"], answer["needs_restart"]) == (5, False)
    assert (await api.call("PUT", path, json={"size_gb": 4})).status_code == 422


async def test_only_backups_can_be_changed(api: Api) -> None:
    data = await volume(api)
    path = f"/apps/shop/volumes/{data['id']}"
    body = {"snapshot_retention": 7, "auto_backup_enabled": False, "name": "other"}
    answer = (await api.call("PUT", path, json=body)).json()
    assert (answer["snapshot_retention"], answer["auto_backup_enabled"]) == (7, False)
    assert answer["name"] == "data"


async def test_snapshots_copies_and_restores(api: Api) -> None:
    data = await volume(api, size_gb=3)
    path = f"/apps/shop/volumes/{data['id']}/snapshots"
    answer = (await api.post(path)).json()
    (snapshot,) = (await api.get(path)).json()
    assert answer["Msg"]["backup"]["graph_id"] == snapshot["id"]
    assert (snapshot["volume_size"], snapshot["status"]) == (3 * 1024**3, "created")
    small = {"name": "data", "snapshot_id": snapshot["id"], "size_gb": 2}
    assert (await api.post("/apps/shop/volumes", small)).status_code == 422
    restored = await volume(api, snapshot_id=snapshot["id"])
    copied = await volume(api, source_volume_id=data["id"], require_unique_zone=False)
    assert restored["size_gb"] == copied["size_gb"] == 3
    assert copied["zone"] != data["zone"]


async def test_a_new_volume_may_take_a_while() -> None:
    clock = HandClock()
    async with Emulator(EmulatorSettings(volume_ready=5), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            data = await volume(api)
            assert data["state"] == "creating"
            clock.now += 5
            path = f"/apps/shop/volumes/{data['id']}"
            assert (await api.get(path)).json()["state"] == "created"
