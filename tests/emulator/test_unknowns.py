"""What nobody knows of the platform is a setting; each answer can be had."""

from __future__ import annotations

from typing import Any

import pytest

from fly_emulator.exec_local import LocalExecRunner
from tests.emulator.client import CONFIG, SERVICE, Api
from tests.emulator.test_rules import platform

MACHINES = "/apps/shop/machines"


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 409),
        ({"name_taken_status": 422}, 422),
        ({"unique_machine_names": False}, 200),
    ],
)
async def test_a_second_machine_of_a_name(settings: dict[str, Any], status: int) -> None:
    async with platform(**settings) as api:
        await api.machine(name="one")
        answer = await api.post(MACHINES, {"config": CONFIG, "name": "one"})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("settings", "kind", "status"),
    [
        ({}, "shared_v4", 422),
        ({}, "v6", 200),
        ({"address_there_status": 409}, "shared_v4", 409),
        ({"single_addresses": frozenset({"v6"})}, "v6", 422),
    ],
)
async def test_a_second_address(settings: dict[str, Any], kind: str, status: int) -> None:
    async with platform(**settings) as api:
        assert (await api.post("/apps/shop/ip_assignments", {"type": kind})).status_code == 200
        answer = await api.post("/apps/shop/ip_assignments", {"type": kind})
        assert answer.status_code == status
        assert status == 200 or "already allocated" in answer.json()["error"]


async def test_secrets_that_arrive_late() -> None:
    async with platform(secrets_arrive_after=2.0) as api:
        await api.post("/apps/shop/secrets", {"values": {"A": "one"}})
        body = {"config": CONFIG, "min_secrets_version": 1}
        assert (await api.post(MACHINES, body)).status_code == 412
        api.later(2.0)
        assert (await api.post(MACHINES, body)).status_code == 200


async def test_what_is_filled_into_a_config() -> None:
    service = {**SERVICE, "checks": [{"type": "tcp", "interval": "5m"}]}
    nothing = {"default_restart": None, "fills_defaults": False, "longest_check_interval": None}
    async with platform(**nothing) as api:
        sent = {"image": "a", "services": [service]}
        shown = (await api.machine(config=sent))["config"]
        assert {name: shown[name] for name in sent} == sent
        assert "restart" not in shown
    async with platform() as api:
        (shown,) = (await api.machine(config=sent))["config"]["services"]
        assert shown["concurrency"] == {"type": "connections", "soft_limit": 20, "hard_limit": 25}
        assert shown["checks"][0]["interval"] == "60s"
        assert shown["ports"][0]["force_https"] is False


@pytest.mark.parametrize(
    ("launches", "state"), [({"started"}, "stopped"), ({"started", "stopped"}, "starting")]
)
async def test_an_update_of_a_machine_at_rest(launches: set[str], state: str) -> None:
    async with platform(update_launches=frozenset(launches), busy_after_update=5.0) as api:
        machine = await api.machine(skip_launch=True)
        path = f"{MACHINES}/{machine['id']}"
        await api.post(path, {"config": CONFIG})
        refused = await api.post(f"{path}/start")
        assert (refused.status_code, "start" in refused.text) == (412, True)
        api.later(0.2)
        assert await api.state(machine) == state
        api.later(5.0)
        assert (await api.post(f"{path}/start")).status_code == 200


@pytest.mark.parametrize(("resting", "state"), [(False, "started"), (True, "stopped")])
async def test_an_update_to_an_image_that_is_nowhere_is_given_up(resting: bool, state: str) -> None:
    async with platform(missing_images=frozenset({"nginx:9"})) as api:
        machine = await api.machine(skip_launch=resting)
        used = [host.used_mb for host in api.fly.world.hosts.values()]
        path = f"{MACHINES}/{machine['id']}"
        larger = {**CONFIG, "image": "nginx:9", "guest": {"cpus": 2, "memory_mb": 1024}}
        updated = await api.post(path, {"config": larger})
        assert updated.json()["instance_id"] != machine["instance_id"]
        api.later(1.0)
        found = (await api.get(path)).json()
        assert (found["state"], found["instance_id"]) == (state, machine["instance_id"])
        assert found["config"]["image"] == CONFIG["image"]
        kinds = [(e["type"], e["status"], e["source"]) for e in found["events"][:2]]
        assert kinds == [("revert", state, "flyd"), ("update", "replacing", "user")]
        assert [host.used_mb for host in api.fly.world.hosts.values()] == used


@pytest.mark.parametrize("status", [404, 401, 400])
async def test_a_new_app_that_one_service_does_not_know_yet(status: int) -> None:
    async with platform(unknown_below=5.0, below_missing_app=status) as api:
        assert (await api.get("/apps/shop")).status_code == 200
        assert (await api.get(MACHINES)).status_code == status
        assert (await api.post(MACHINES, {"config": CONFIG})).status_code == status
        api.later(5.0)
        assert (await api.post(MACHINES, {"config": CONFIG})).status_code == 200


async def test_a_new_machine_that_does_not_start_goes() -> None:
    async with platform(launch_fails_for_good=True, destroy=5.0) as api:
        machine = await api.machine(config={**CONFIG, "env": {"EMULATE_START": "fail"}})
        assert await api.state(machine) == "launch_failed"
        api.later(5.0)
        assert await api.state(machine) == "destroyed"


@pytest.mark.parametrize("listed", [True, False])
async def test_whether_lists_show_deleted_volumes_until_they_are_gone(listed: bool) -> None:
    async with platform(lists_deleted_volumes=listed) as api:
        volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()
        await api.delete(f"/apps/shop/volumes/{volume['id']}")
        shown = [one["state"] for one in (await api.get("/apps/shop/volumes")).json()]
        assert shown == ["pending_destroy"] * listed
        assert (await api.get("/apps/shop")).json()["volume_count"] == 0
        api.later(25 * 3600)
        assert (await api.get("/apps/shop/volumes")).json() == []


@pytest.mark.parametrize("status", [412, 409])
async def test_an_update_of_another_version(status: int) -> None:
    async with platform(version_mismatch_status=status) as api:
        machine = await api.machine()
        body = {"config": CONFIG, "current_version": "01AAAAAAAAAAAAAAAAAAAAAAAA"}
        answer = await api.post(f"{MACHINES}/{machine['id']}", body)
        assert answer.status_code == status


@pytest.mark.parametrize(("cut", "status"), [(False, 400), (True, 201)])
async def test_a_lease_that_is_too_long(cut: bool, status: int) -> None:
    async with platform(max_lease_ttl=60, long_leases_are_cut=cut) as api:
        machine = await api.machine()
        answer = await api.post(f"{MACHINES}/{machine['id']}/lease", {"ttl": 100})
        assert answer.status_code == status
        if cut:
            assert answer.json()["data"]["expires_at"] == int(api.fly.clock.time()) + 60


async def digests(api: Api) -> list[str]:
    found = []
    for _ in range(2):
        answer = (await api.post("/apps/shop/secrets", {"values": {"A": "same"}})).json()
        found.append(answer["secrets"][0]["digest"])
    return found


@pytest.mark.parametrize("salted", [False, True])
async def test_digests_of_secrets(salted: bool) -> None:
    async with platform(salted_digests=salted) as api:
        first, second = await digests(api)
        assert (first == second) is not salted


@pytest.mark.parametrize(("first", "value"), [(False, "from env"), (True, "from secret")])
async def test_secrets_and_env(first: bool, value: str) -> None:
    async with platform(secrets_over_env=first) as api:
        await api.post("/apps/shop/secrets", {"values": {"A": "from secret"}})
        machine = await api.machine(config={**CONFIG, "env": {"A": "from env"}})
        record = api.fly.world.machines[machine["id"]]
        assert LocalExecRunner(api.fly.world).environment(record)["A"] == value


@pytest.mark.parametrize(("refused", "status"), [(False, 200), (True, 412)])
async def test_actions_that_change_nothing(refused: bool, status: int) -> None:
    async with platform(repeats_are_refused=refused) as api:
        path = f"{MACHINES}/{(await api.machine())['id']}"
        assert (await api.post(f"{path}/start")).status_code == status
        for action in ("stop", "start", "suspend"):
            assert (await api.post(f"{path}/{action}")).status_code == 200
            api.later(2)
        assert (await api.post(f"{path}/suspend")).status_code == status
        assert (await api.post(f"{path}/stop")).status_code == 200
        assert (await api.post(f"{path}/stop")).status_code == status


@pytest.mark.parametrize(("falls_back", "state"), [(False, "started"), (True, "stopped")])
async def test_a_machine_that_cannot_be_suspended(falls_back: bool, state: str) -> None:
    async with platform(suspend_falls_back=falls_back) as api:
        machine = await api.machine(config={**CONFIG, "init": {"swap_size_mb": 512}})
        answer = await api.post(f"{MACHINES}/{machine['id']}/suspend")
        assert answer.status_code == (200 if falls_back else 412)
        api.later(2)
        assert await api.state(machine) == state


async def test_limits_of_sizes() -> None:
    async with platform(largest_config=200, largest_exec_output=3, secret_names="[A-Z]+") as api:
        machine = await api.machine(config={"image": "a"})
        path = f"{MACHINES}/{machine['id']}"
        done = (await api.post(f"{path}/exec", {"command": ["echo", "abcdef"]})).json()
        assert done["stdout"] == "abc"
        large = {"config": {"image": "a", "env": {"A": "b" * 200}}}
        assert (await api.post(path, large)).status_code == 422
        assert (await api.post(MACHINES, large)).status_code == 422
        named = await api.post("/apps/shop/secrets", {"values": {"a": "b"}})
        assert named.status_code == 400


@pytest.mark.parametrize(("own", "status"), [(False, 429), (True, 200)])
async def test_limits_of_several_tokens(own: bool, status: int) -> None:
    async with platform(limits_per_token=own, rate_limits=True) as api:
        for _ in range(4):
            last = await api.get("/apps/shop/secrets")
        assert last.status_code == 429
        headers = {"authorization": "Bearer other"}
        assert (await api.get("/apps/shop/secrets", headers=headers)).status_code == status
