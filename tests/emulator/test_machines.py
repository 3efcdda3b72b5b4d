from __future__ import annotations

from typing import Any

import attrs
import pytest

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.images import Registries
from tests.emulator.client import CONFIG, SERVICE, Api, HandClock, make_api


async def test_a_machine_starts_by_itself(api: Api) -> None:
    machine = await api.machine(settle=False)
    assert machine["state"] == "created"
    assert machine["instance_id"] == machine["version"]
    assert len(machine["instance_id"]) == 26
    assert await api.state(machine) == "starting"
    api.later(api.fly.settings.boot)
    document = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    assert document["state"] == "started"
    kinds = [(event["type"], event["status"], event["source"]) for event in document["events"]]
    assert kinds == [("start", "started", "flyd"), ("launch", "created", "user")]


async def test_a_machine_that_is_not_launched_comes_to_rest(api: Api) -> None:
    machine = await api.machine(skip_launch=True, settle=False)
    assert await api.state(machine) == "created"
    api.later(1)
    assert await api.state(machine) == "stopped"
    api.later(100)
    assert await api.state(machine) == "stopped"


async def test_the_config_comes_back(api: Api) -> None:
    config = {
        "image": "registry.fly.io/shop:1",
        "env": {"A": "b"},
        "guest": {"cpu_kind": "performance", "cpus": 2, "memory_mb": 8192},
        "metadata": {"x": "y"},
        "init": {"cmd": ["run"]},
        "something_new": {"kept": True},
    }
    machine = await api.machine(config=config, region="fra", name="first")
    filled = {"auto_destroy": False, "restart": {"policy": "on-failure", "max_retries": 10}}
    assert machine["config"] == {**config, **filled, "init": {"cmd": ["run"], "tty": False}}
    assert (machine["region"], machine["name"]) == ("fra", "first")


@pytest.mark.parametrize(
    ("given", "kept"), [("off", False), ("stop", True), ("suspend", "suspend"), (True, True)]
)
async def test_autostop_is_answered_as_boolean(api: Api, given: object, kept: object) -> None:
    machine = await api.machine(config={"image": "a", "services": [{**SERVICE, "autostop": given}]})
    assert machine["config"]["services"][0]["autostop"] == kept


async def test_an_update_makes_a_new_version_of_the_same_machine(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    config = {**CONFIG, "image": "nginx:1.27", "env": {"A": "1"}}
    updated = (await api.post(path, {"config": config})).json()
    assert updated["id"] == machine["id"]
    assert updated["instance_id"] > machine["instance_id"]
    assert updated["state"] == "replacing"
    api.later(api.fly.settings.stop + api.fly.settings.boot)
    document = (await api.get(path)).json()
    assert document["state"] == "started"
    assert document["config"]["env"] == {"A": "1"}
    assert "services" in document["config"]
    types = [event["type"] for event in document["events"]]
    assert types == ["start", "launch", "exit", "update", "start", "launch"]
    versions = (await api.get(f"{path}/versions")).json()
    assert [version["version"] for version in versions] == [updated["version"], machine["version"]]


async def test_an_update_can_leave_a_machine_stopped(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    await api.post(f"{path}/stop")
    api.later(1)
    assert (await api.post(path, {"config": CONFIG, "skip_launch": True})).status_code == 200
    api.later(10)
    assert await api.state(machine) == "stopped"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"config": CONFIG, "name": "other"}, 400),
        ({"config": CONFIG, "region": "fra"}, 400),
        ({"config": CONFIG, "current_version": "0" * 26}, 412),
        ({"config": CONFIG, "min_secrets_version": 1}, 412),
        ({"config": {**CONFIG, "mounts": [{"volume": "vol_x", "path": "/d"}]}}, 400),
        ({"config": {}}, 400),
        ({}, 400),
    ],
)
async def test_what_an_update_cannot_do(api: Api, body: dict[str, Any], status: int) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    assert (await api.post(path, body)).status_code == status
    after = (await api.get(path)).json()
    assert (after["instance_id"], after["state"]) == (machine["instance_id"], "started")


async def test_an_update_of_the_expected_version(api: Api) -> None:
    machine = await api.machine()
    body = {
        "config": CONFIG,
        "current_version": machine["instance_id"],
        "region": machine["region"],
    }
    assert (await api.post(f"/apps/shop/machines/{machine['id']}", body)).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"image": ""}, 400),
        ({"env": {"A": 1}}, 400),
        ({"metadata": {"A": None}}, 400),
        ({"restart": {"policy": "never"}}, 400),
        ({"guest": {"cpu_kind": "quick", "cpus": 1, "memory_mb": 256}}, 400),
        ({"guest": {"cpu_kind": "shared", "cpus": 3, "memory_mb": 1024}}, 422),
        ({"guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 300}}, 422),
        ({"guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 4096}}, 422),
        ({"guest": {"cpu_kind": "performance", "cpus": 1, "memory_mb": 1024}}, 422),
        ({"size": "huge"}, 400),
        ({"files": [{"guest_path": "etc/a", "raw_value": ""}]}, 400),
        ({"files": [{"guest_path": "/etc/a", "raw_value": "no base64"}]}, 400),
        ({"files": [{"guest_path": "/etc/a", "raw_value": "YQ==", "secret_name": "A"}]}, 400),
        ({"files": [{"guest_path": "/etc/a"}]}, 400),
        ({"mounts": [{"path": "/data"}]}, 400),
        ({"mounts": [{"volume": "vol_nothing", "path": "/data"}]}, 404),
        ({"services": [{"protocol": "tcp"}]}, 400),
        ({"services": [{"protocol": "http", "internal_port": 80}]}, 400),
        ({"services": [{**SERVICE, "autostart": "yes"}]}, 400),
        ({"services": [{**SERVICE, "autostop": "never"}]}, 400),
        ({"services": [{**SERVICE, "checks": [{"type": "tcp", "interval": "soon"}]}]}, 400),
        ({"checks": {"up": {"type": "grpc"}}}, 400),
        ({"checks": {"up": {"type": "tcp", "interval": 10_000_000_000}}}, 200),
        ({"size": "shared-cpu-2x"}, 200),
        ({"files": [{"guest_path": "/etc/a", "raw_value": ""}]}, 200),
        ({"containers": [{"name": "a", "image": "b"}], "image": None}, 200),
    ],
)
async def test_configs_are_checked(api: Api, change: dict[str, Any], status: int) -> None:
    response = await api.post("/apps/shop/machines", {"config": {"image": "a", **change}})
    assert response.status_code == status, response.text
    assert len((await api.get("/apps/shop/machines")).json()) == (status == 200)


@pytest.mark.parametrize(
    ("wish", "region"),
    [
        ("", "iad"),
        ("syd", "syd"),
        ("nowhere,fra", "fra"),
        ("eu", "ams"),
        ("any", "iad"),
        ("usa", "dfw"),
        ("nowhere", None),
    ],
)
async def test_regions(api: Api, wish: str, region: str | None) -> None:
    response = await api.post("/apps/shop/machines", {"config": CONFIG, "region": wish})
    assert response.status_code == (400 if region is None else 200)
    assert response.json().get("region") == region


async def test_names_are_unique_among_the_living(api: Api) -> None:
    machine = await api.machine(name="one")
    again = await api.post("/apps/shop/machines", {"config": CONFIG, "name": "one"})
    assert again.status_code == 409
    assert machine["id"] in again.json()["error"]
    await api.delete(f"/apps/shop/machines/{machine['id']}", params={"force": "true"})
    assert (await api.machine(name="one"))["id"] != machine["id"]


async def test_lists_can_be_narrowed(api: Api) -> None:
    web = await api.machine(config={**CONFIG, "metadata": {"group": "web", "n": "1"}})
    job = await api.machine(
        config={**CONFIG, "metadata": {"group": "job"}}, region="fra", skip_launch=True
    )
    gone = await api.machine()
    await api.delete(f"/apps/shop/machines/{gone['id']}?kill=true")
    api.later(1)

    async def ids(query: str) -> list[str]:
        return [m["id"] for m in (await api.get(f"/apps/shop/machines?{query}")).json()]

    assert await ids("") == [web["id"], job["id"]]
    assert await ids("include_deleted=true") == [web["id"], job["id"], gone["id"]]
    assert await ids("region=fra") == [job["id"]]
    assert await ids("state=started,suspended") == [web["id"]]
    assert await ids("metadata.group=web&metadata.n=1") == [web["id"]]
    assert await ids("metadata.group=none") == []
    (summary, _) = (await api.get("/apps/shop/machines?summary=true")).json()
    assert not {"config", "events", "checks", "host_status", "nonce"} & set(summary)


async def test_machines_of_other_apps_are_not_found(api: Api) -> None:
    machine = await api.machine()
    await api.app("other")
    assert (await api.get(f"/apps/other/machines/{machine['id']}")).status_code == 404


async def test_creates_one_after_another_land_on_different_hosts(api: Api) -> None:
    for _ in range(api.fly.settings.hosts_per_region):
        await api.machine()
    assert len({machine.host for machine in api.fly.world.machines.values()}) == 8


async def test_room_runs_out_region_by_region() -> None:
    settings = EmulatorSettings(hosts_per_region=1, host_memory_mb=512, rate_limits=False)
    clock = HandClock()
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            first, _ = await api.machine(), await api.machine()
            full = await api.post("/apps/shop/machines", {"config": CONFIG})
            assert (full.status_code, "insufficient CPUs" in full.json()["error"]) == (412, True)
            elsewhere = await api.machine(region="iad,fra")
            assert elsewhere["region"] == "fra"
            bigger = {
                "config": {**CONFIG, "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 512}}
            }
            refused = await api.post(f"/apps/shop/machines/{first['id']}", bigger)
            assert refused.status_code == 409
            assert "could not reserve resource for machine" in refused.json()["error"]
            await api.delete(f"/apps/shop/machines/{first['id']}?force=true")
            clock.now += 1
            await api.machine()


async def test_a_lost_host_hides_the_config(api: Api) -> None:
    machine = await api.machine()
    record = api.fly.world.machines[machine["id"]]
    api.fly.world.hosts[record.host].status = "unreachable"
    document = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    assert document["host_status"] == "unreachable"
    assert "config" not in document
    assert document["incomplete_config"]["image"] == CONFIG["image"]
    response = await api.post(f"/apps/shop/machines/{machine['id']}", {"config": CONFIG})
    assert response.status_code == 412
    assert (await api.delete(f"/apps/shop/machines/{machine['id']}?force=true")).status_code == 200


@pytest.mark.parametrize(
    ("image", "registry", "repository", "tag"),
    [
        ("nginx", "docker-hub-mirror.fly.io", "library/nginx", "latest"),
        ("nginx:1.25", "docker-hub-mirror.fly.io", "library/nginx", "1.25"),
        ("team/app:2", "docker-hub-mirror.fly.io", "team/app", "2"),
        ("docker.io/team/app", "docker-hub-mirror.fly.io", "team/app", "latest"),
        ("registry.fly.io/shop:deployment-1", "registry.fly.io", "shop", "deployment-1"),
        ("localhost:5000/a/b:c", "localhost:5000", "a/b", "c"),
    ],
)
def test_image_references(image: str, registry: str, repository: str, tag: str) -> None:
    found = Registries().reference(image)
    assert (found["registry"], found["repository"], found["tag"]) == (registry, repository, tag)
    digest = "sha256:" + "a" * 64
    assert Registries().reference(f"{image}@{digest}")["digest"] == digest
    assert found["digest"].startswith("sha256:")


async def test_a_tag_can_be_moved(api: Api) -> None:
    old, pinned = await api.machine(), await api.machine()
    digest = old["image_ref"]["digest"]
    api.fly.world.registries.push("docker.io/library/nginx:1.25")
    path = f"/apps/shop/machines/{old['id']}"
    await api.post(f"{path}/restart")
    assert (await api.get(path)).json()["image_ref"]["digest"] == digest
    moved = (await api.machine())["image_ref"]
    assert (moved["repository"], moved["tag"]) == ("library/nginx", "1.25")
    assert moved["digest"] != digest
    again = (await api.post(path, {"config": CONFIG})).json()
    assert again["image_ref"] == moved
    config = {**CONFIG, "image": f"nginx@{digest}"}
    pinned = (await api.post(f"/apps/shop/machines/{pinned['id']}", {"config": config})).json()
    assert pinned["image_ref"]["digest"] == digest


async def test_metadata_may_have_a_limit(settings: EmulatorSettings) -> None:
    clock = HandClock()
    async with Emulator(attrs.evolve(settings, longest_metadata=10), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            for value, status in (("a" * 10, 200), ("a" * 11, 400)):
                config = {**CONFIG, "metadata": {"key": value}}
                answer = await api.post("/apps/shop/machines", {"config": config})
                assert answer.status_code == status


async def test_events_are_limited(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    for _ in range(15):
        await api.post(f"{path}/restart")
        api.later(2)
    assert len((await api.get(f"{path}/events")).json()) == 20
    newest = (await api.get(f"{path}/events?limit=3")).json()
    assert [event["type"] for event in newest] == ["start", "exit", "restart"]


async def test_an_unchanged_config_may_be_no_restart(settings: EmulatorSettings) -> None:
    clock = HandClock()
    async with Emulator(
        attrs.evolve(settings, update_restarts_unchanged=False), clock=clock
    ) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            machine = await api.machine()
            again = (
                await api.post(f"/apps/shop/machines/{machine['id']}", {"config": CONFIG})
            ).json()
            assert (again["state"], again["instance_id"]) == ("started", machine["instance_id"])


async def test_while_updates_are_given_up_versions_stay(api: Api) -> None:
    machine = await api.machine()
    api.fly.world.giving_up = True
    body = {"config": {**CONFIG, "env": {"A": "b"}}}
    await api.post(f"/apps/shop/machines/{machine['id']}", body)
    api.later(1)
    document = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    assert document["instance_id"] == machine["instance_id"]
    assert document["events"][0]["type"] == "revert"


async def test_a_machine_that_was_starting_when_its_update_was_given_up_still_starts(
    api: Api,
) -> None:
    machine = await api.machine(settle=False)
    api.later(0.1)
    api.fly.world.giving_up = True
    path = f"/apps/shop/machines/{machine['id']}"
    await api.post(path, {"config": {**CONFIG, "env": {"A": "b"}}})
    api.later(10)
    document = (await api.get(path)).json()
    assert (document["state"], document["instance_id"]) == ("started", machine["instance_id"])
    assert api.fly.world.machines[machine["id"]].healthy_at is not None


async def test_a_machine_that_moves_is_counted_on_its_new_host(api: Api) -> None:
    """So the next one is placed beside the others of its app, not on its host."""
    machine = await api.machine()
    world = api.fly.world
    moved = world.machines[machine["id"]]
    world.move_machine(moved, world.hosts["iad-01"])
    other = world.machines[(await api.machine())["id"]]
    assert (moved.host, other.host) == ("iad-01", "iad-00")
