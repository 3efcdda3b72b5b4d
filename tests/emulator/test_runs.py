"""What processes do by themselves: exits, restarts, checks."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from fly_emulator import Behaviour, Emulator, EmulatorSettings
from tests.emulator.client import CONFIG, SERVICE, Api, HandClock, make_api

RELEASE = {
    "image": "a",
    "auto_destroy": True,
    "restart": {"policy": "no"},
    "env": {"FLY_PROCESS_GROUP": "fly_app_release_command"},
}


@pytest.mark.parametrize("code", [0, 3])
async def test_a_release_command_exits_and_is_gone(api: Api, code: int) -> None:
    config = {**RELEASE, "env": {**RELEASE["env"], "EMULATE_EXIT": str(code)}}  # type: ignore[dict-item]
    machine = await api.machine(config=config, skip_launch=True)
    path = f"/apps/shop/machines/{machine['id']}"
    assert (await api.post(f"{path}/start")).json()["previous_state"] == "stopped"
    api.later(5)
    document = (await api.get(path)).json()
    assert document["state"] == "destroyed"
    (event,) = [event for event in document["events"] if event["type"] == "exit"]
    assert event["request"]["exit_event"]["exit_code"] == code
    assert event["request"]["exit_event"]["requested_stop"] is False


@pytest.mark.parametrize(
    ("init", "code"),
    [
        ({"cmd": ["true"]}, 0),
        ({"cmd": ["/bin/false"]}, 1),
        ({"entrypoint": ["sh", "-c"], "cmd": ["curl -f http://x || exit 22"]}, 22),
        ({"exec": ["false"], "cmd": ["true"]}, 1),
        ({"cmd": ["echo", "no exit"]}, 0),
        (None, 0),
    ],
)
async def test_a_command_that_runs_once_ends_as_its_words_say(
    api: Api, init: Any, code: int
) -> None:
    machine = await api.machine(config={**RELEASE, "init": init})
    api.later(5)
    document = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    (event,) = [event for event in document["events"] if event["type"] == "exit"]
    assert event["request"]["exit_event"]["exit_code"] == code


@pytest.mark.parametrize(
    ("restart", "code", "exits", "state"),
    [
        ({"policy": "no"}, 1, 1, "stopped"),
        ({"policy": "on-failure", "max_retries": 2}, 1, 3, "stopped"),
        ({"policy": "on-failure"}, 0, 1, "stopped"),
        (None, 1, 11, "stopped"),
    ],
)
async def test_restart_policies(api: Api, restart: Any, code: int, exits: int, state: str) -> None:
    config = {**CONFIG, "restart": restart, "env": {"EMULATE_EXIT": str(code)}}
    machine = await api.machine(config=config)
    api.later(100_000)
    path = f"/apps/shop/machines/{machine['id']}"
    assert await api.state(machine) == state
    events = (await api.get(f"{path}/events?limit=50")).json()
    found = [event["request"] for event in events if event["type"] == "exit"]
    assert len(found) == exits
    assert [request["restart_count"] for request in found] == list(range(exits, 0, -1))
    assert [request["exit_event"]["restarting"] for request in found] == [False] + [True] * (
        exits - 1
    )


async def test_a_process_that_always_restarts(api: Api) -> None:
    config = {**CONFIG, "restart": {"policy": "always"}, "env": {"EMULATE_EXIT": "0"}}
    machine = await api.machine(config=config)
    api.later(3_000)
    assert await api.state(machine) in {"started", "restarting"}


async def checks_of(api: Api, machine: dict[str, Any]) -> list[tuple[str, str]]:
    document = (await api.get(f"/apps/shop/machines/{machine['id']}")).json()
    return [(check["name"], check["status"]) for check in document["checks"]]


async def test_checks_come_and_pass(api: Api) -> None:
    config = {
        "image": "a",
        "services": [
            SERVICE,
            {"protocol": "tcp", "internal_port": 81, "checks": [{"type": "tcp", "port": 82}]},
        ],
        "checks": {"up": {"type": "http", "port": 80}},
    }
    names = ["servicecheck-00-http-8080", "servicecheck-00-tcp-82", "up"]
    machine = await api.machine(config=config, settle=False)
    api.later(api.fly.settings.boot)
    assert await checks_of(api, machine) == []
    api.later(0.5)
    assert await checks_of(api, machine) == [(name, "critical") for name in names]
    api.later(0.5)
    assert await checks_of(api, machine) == [(name, "passing") for name in names]
    await api.post(f"/apps/shop/machines/{machine['id']}/restart")
    api.later(0.7)
    assert {status for _, status in await checks_of(api, machine)} == {"critical"}


@pytest.mark.parametrize("env", [{"UNHEALTHY": "1"}, {"EMULATE_HEALTHY": "never"}])
async def test_checks_that_never_pass(api: Api, env: dict[str, str]) -> None:
    machine = await api.machine(config={**CONFIG, "env": env})
    api.later(10_000)
    assert {status for _, status in await checks_of(api, machine)} == {"critical"}


async def test_marks_may_be_metadata(api: Api) -> None:
    machine = await api.machine(config={**CONFIG, "metadata": {"emulate_boot": "50"}}, settle=False)
    api.later(49)
    assert await api.state(machine) == "starting"
    api.later(1)
    assert await api.state(machine) == "started"


async def test_checks_may_wait_for_their_grace_period(settings: EmulatorSettings) -> None:
    clock = HandClock()
    async with Emulator(attrs.evolve(settings, checks_wait_for_grace=True), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            machine = await api.machine(settle=False)
            clock.now += 0.5 + 2.9
            assert await checks_of(api, machine) == [("servicecheck-00-http-8080", "critical")]
            clock.now += 0.1
            assert await checks_of(api, machine) == [("servicecheck-00-http-8080", "passing")]


async def test_behaviour_can_be_given(settings: EmulatorSettings) -> None:
    def model(config: dict[str, Any], settings: EmulatorSettings) -> Behaviour:
        return Behaviour(boot=7.0, healthy_after=None, exits_after=3.0, exit_code=0)

    clock = HandClock()
    async with Emulator(settings, clock=clock, model=model) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            machine = await api.machine(settle=False)
            for seconds, state in [(6, "starting"), (1, "started"), (3, "stopped")]:
                clock.now += seconds
                assert await api.state(machine) == state


async def test_processes_listen_on_the_ports_of_the_services(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}"
    (process,) = (await api.get(f"{path}/ps")).json()
    assert process["listen_sockets"] == [{"proto": "tcp", "address": "[::]:8080"}]
    await api.post(f"{path}/stop")
    assert (await api.get(f"{path}/ps")).status_code == 412


@pytest.mark.parametrize(
    ("command", "code", "stdout"),
    [
        (["true"], 0, ""),
        (["/bin/false"], 1, ""),
        (["echo", "a", "b"], 0, "a b\n"),
        (["psql", "-c", "select 1"], 127, ""),
    ],
)
async def test_machines_have_few_programs(
    api: Api, command: list[str], code: int, stdout: str
) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}/exec"
    done = (await api.post(path, {"command": command})).json()
    assert (done["exit_code"], done["stdout"]) == (code, stdout)
    assert ("not found" in done["stderr"]) == (code == 127)


async def test_a_command_is_needed(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}/exec"
    assert (await api.post(path, {})).status_code == 400


async def test_commands_are_run_by_the_runner(settings: EmulatorSettings) -> None:
    class Echo:
        async def run(self, execution: Any) -> dict[str, Any]:
            return {"exit_code": 0, "stdout": " ".join(execution.command), "stderr": ""}

    clock = HandClock()
    async with Emulator(settings, clock=clock, exec_runner=Echo()) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            machine = await api.machine()
            path = f"/apps/shop/machines/{machine['id']}/exec"
            assert (await api.post(path, {"cmd": "a 'b c'"})).json()["stdout"] == "a b c"


async def test_memory(api: Api) -> None:
    machine = await api.machine()
    path = f"/apps/shop/machines/{machine['id']}/memory"
    assert (await api.get(path)).json()["limit_mb"] == 256
    assert (await api.call("PUT", path, json={"limit_mb": 128})).json()["limit_mb"] == 128
    assert (await api.call("PUT", path, json={"limit_mb": 512})).status_code == 400
    assert (await api.post(f"{path}/reclaim", {"amount_mb": 10_000})).json() == {"actual_mb": 64}
