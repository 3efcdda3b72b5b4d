from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio

from fly_emulator import Emulator, EmulatorSettings
from tests.emulator.client import CONFIG, Api, HandClock, make_api
from tests.emulator.invariants import violations

VALUE = "very secret value"


async def test_every_request_is_written_down(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    clock = HandClock()
    async with Emulator(clock=clock, journal=file) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            await api.get("/apps/none?x=1")
            await api.post("/apps/shop/secrets", {"values": {"A": VALUE, "B": None}})
            await api.post("/apps/shop/secrets/A", {"value": VALUE})
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["operation"] for line in lines] == [
        "Apps_create",
        "Apps_show",
        "Secrets_update",
        "Secret_create",
    ]
    assert [line["status"] for line in lines] == [201, 404, 200, 201]
    assert lines[0]["body"] == {"name": "shop", "org_slug": "personal"}
    assert lines[1]["query"] == {"x": "1"}
    assert lines[2]["body"] == {"values": {"A": "********", "B": None}}
    assert VALUE not in file.read_text()


async def test_a_clean_run_has_no_violations(api: Api) -> None:
    machine = await api.machine(lease_ttl=30)
    nonce = {"fly-machine-lease-nonce": machine["nonce"]}
    path = f"/apps/shop/machines/{machine['id']}"
    await api.post("/apps/shop/secrets", {"values": {"A": VALUE}})
    await api.post(path, {"config": CONFIG}, headers=nonce)
    await api.delete(f"{path}?force=true", headers=nonce)
    assert violations(api.fly.journal.entries, api.fly.world) == []


async def test_changing_a_leased_machine_is_a_violation(api: Api) -> None:
    machine = await api.machine(lease_ttl=30)
    await api.post(f"/apps/shop/machines/{machine['id']}/stop")
    (found,) = violations(api.fly.journal.entries)
    assert "without the nonce" in found


async def test_leaking_a_secret_is_a_violation_and_masked(api: Api) -> None:
    await api.post("/apps/shop/secrets", {"values": {"A": VALUE}})
    await api.machine(config={**CONFIG, "env": {"A": VALUE}})
    (found,) = violations(api.fly.journal.entries)
    assert "secret A" in found
    assert VALUE not in found
    assert VALUE not in json.dumps(api.fly.journal.entries[-1].body)


async def test_overlapping_changes_are_a_violation() -> None:
    async with Emulator(EmulatorSettings(latency=0.02, rate_limits=False)) as fly:
        api = make_api(fly, None)
        async with api.client:
            await api.app()
            answer: dict[str, Any] = (
                await api.post("/apps/shop/machines", {"config": CONFIG})
            ).json()
            path = f"/apps/shop/machines/{answer['id']}"
            await api.post(f"{path}/cordon")
            await api.post(f"{path}/uncordon")
            assert violations(fly.journal.entries, fly.world) == []
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(api.post, f"{path}/cordon")
                tasks.start_soon(api.post, f"{path}/uncordon")
            (found,) = violations(fly.journal.entries, fly.world)
            assert "under way" in found


async def test_going_over_the_rate_is_a_violation() -> None:
    clock = HandClock()
    async with Emulator(clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            for name in "abcd":
                await api.post("/apps", {"name": name})
        (found,) = violations(fly.journal.entries)
        assert "Apps_create" in found


async def test_creates_at_the_same_time_can_share_a_host() -> None:
    async with Emulator(EmulatorSettings(latency=0.02, rate_limits=False)) as fly:
        api = make_api(fly, None)
        async with api.client:
            await api.app()
            async with anyio.create_task_group() as tasks:
                for _ in range(2):
                    tasks.start_soon(api.post, "/apps/shop/machines", {"config": CONFIG})
            first, second = fly.world.machines.values()
            assert first.host == second.host
            await api.post("/apps/shop/machines", {"config": CONFIG})
            assert len({machine.host for machine in fly.world.machines.values()}) == 2


async def test_secrets_set_by_graphql_are_masked(api: Api) -> None:
    query = "mutation($input: SetSecretsInput!) { setSecrets(input: $input) { app { id } } }"
    secrets = [{"key": "A", "value": "very-private"}]
    body = {"query": query, "variables": {"input": {"appId": "shop", "secrets": secrets}}}
    assert (await api.client.post("/graphql", json=body)).status_code == 200
    assert "very-private" not in repr(api.fly.journal.entries)
    await api.client.post("/graphql", json={"query": '{ app(name: "shop") { id } }'})
    assert "shop" in repr(api.fly.journal.entries[-1].body)
