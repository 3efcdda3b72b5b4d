from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import CONFIG, Api

REACH: dict[str, list[str]] = {
    "started": [],
    "stopped": ["stop"],
    "suspended": ["suspend"],
}


async def machine_in(api: Api, state: str) -> tuple[dict[str, Any], str]:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    for action in REACH[state]:
        assert (await api.post(f"{path}/{action}")).status_code == 200
        api.later(1)
    assert await api.state(machine) == state
    return machine, path


@pytest.mark.parametrize(
    ("before", "action", "at_once", "after"),
    [
        ("stopped", "start", "starting", "started"),
        ("suspended", "start", "starting", "started"),
        ("started", "start", "started", "started"),
        ("started", "stop", "stopping", "stopped"),
        ("suspended", "stop", "stopped", "stopped"),
        ("stopped", "stop", "stopped", "stopped"),
        ("started", "suspend", "suspending", "suspended"),
        ("suspended", "suspend", "suspended", "suspended"),
        ("started", "restart", "restarting", "started"),
        ("stopped", "restart", "starting", "started"),
    ],
)
async def test_actions_lead_from_state_to_state(
    api: Api, before: str, action: str, at_once: str, after: str
) -> None:
    machine, path = await machine_in(api, before)
    assert (await api.post(f"{path}/{action}")).status_code == 200
    record = api.fly.world.machines[machine["id"]]
    assert record.state == at_once
    api.later(2)
    assert await api.state(machine) == after


@pytest.mark.parametrize(
    ("before", "action"), [("stopped", "suspend"), ("stopped", "signal"), ("suspended", "signal")]
)
async def test_actions_that_do_not_fit_the_state(api: Api, before: str, action: str) -> None:
    machine, path = await machine_in(api, before)
    response = await api.post(f"{path}/{action}", {"signal": "SIGTERM"})
    assert response.status_code == 412
    assert before in response.json()["error"]
    assert await api.state(machine) == before


async def test_start_tells_the_state_before(api: Api) -> None:
    _, path = await machine_in(api, "stopped")
    assert (await api.post(f"{path}/start")).json()["previous_state"] == "stopped"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"timeout": "10s", "signal": "SIGTERM"}, 200),
        ({"timeout": "0s", "id": "x"}, 200),
        ({"timeout": 5}, 200),
        ({"timeout": "soon"}, 400),
        ({"signal": "SIGSEGV"}, 400),
    ],
)
async def test_how_to_stop(api: Api, body: dict[str, Any], status: int) -> None:
    _, path = await machine_in(api, "started")
    assert (await api.post(f"{path}/stop", body)).status_code == status


@pytest.mark.parametrize("flag", ["force=true", "kill=true"])
async def test_deleting_what_runs_needs_force(api: Api, flag: str) -> None:
    machine, path = await machine_in(api, "started")
    assert (await api.delete(path)).status_code == 412
    assert (await api.delete(f"{path}?{flag}")).json() == {"ok": True}
    assert await api.state(machine) == "destroying"
    api.later(1)
    assert await api.state(machine) == "destroyed"
    assert (await api.delete(f"{path}?{flag}")).status_code == 404
    assert (await api.post(f"{path}/start")).status_code == 404
    api.later(api.fly.settings.forget_destroyed)
    assert (await api.get(path)).status_code == 404


@pytest.mark.parametrize("state", ["stopped", "suspended"])
async def test_deleting_what_rests(api: Api, state: str) -> None:
    _, path = await machine_in(api, state)
    assert (await api.delete(path)).status_code == 200


async def test_cordon_and_uncordon(api: Api) -> None:
    machine = await api.machine(skip_service_registration=True)
    path = f"/apps/shop/machines/{machine['id']}"
    assert machine["cordoned"] is True
    await api.post(f"{path}/uncordon")
    assert (await api.get(path)).json()["cordoned"] is False
    await api.post(f"{path}/cordon")
    assert (await api.get(path)).json()["cordoned"] is True


@pytest.mark.parametrize(
    "config",
    [
        {"guest": {"cpu_kind": "performance", "cpus": 2, "memory_mb": 4096}},
        {"init": {"swap_size_mb": 512}},
        {"schedule": "daily"},
    ],
)
async def test_some_machines_cannot_be_suspended(api: Api, config: dict[str, Any]) -> None:
    machine = await api.machine(config={**CONFIG, **config})
    assert (await api.post(f"/apps/shop/machines/{machine['id']}/suspend")).status_code == 412


@pytest.mark.parametrize(
    ("signal", "state"), [("SIGKILL", "stopped"), (9, "stopped"), ("SIGUSR1", "started")]
)
async def test_signals(api: Api, signal: object, state: str) -> None:
    machine, path = await machine_in(api, "started")
    assert (await api.post(f"{path}/signal", {"signal": signal})).status_code == 200
    assert await api.state(machine) == state


@pytest.mark.parametrize("signal", ["SIGWHAT", 99, None, True])
async def test_unknown_signals(api: Api, signal: object) -> None:
    _, path = await machine_in(api, "started")
    assert (await api.post(f"{path}/signal", {"signal": signal})).status_code == 400
