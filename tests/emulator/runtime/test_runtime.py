"""Machines that are processes: started, checked, reached, stopped and ended with the emulator."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import frozen

from fly_emulator import Commands, Emulator, EmulatorSettings
from fly_emulator.process import own_words
from score_flyio.errors import ConfigError

SERVER = f"{sys.executable} {Path(__file__).with_name('server.py')}"
SERVICE: dict[str, Any] = {
    "protocol": "tcp",
    "internal_port": 8080,
    "ports": [{"port": 443, "handlers": ["tls", "http"]}],
    "checks": [{"type": "http", "interval": "1s", "timeout": "2s", "path": "/"}],
}
SETTINGS = EmulatorSettings(
    rate_limits=False,
    boot=0.01,
    stop=0.01,
    destroy=0.01,
    prepare=0.01,
    restart_delay=0.05,
    busy_after_update=0.0,
)


@frozen
class Site:
    fly: Emulator
    client: httpx.AsyncClient

    async def machine(self, settle: bool = True, services: Any = (SERVICE,), **config: Any) -> str:
        body = {"config": {"image": "web:1", "services": list(services), **config}}
        answer = await self.client.post("/v1/apps/shop/machines", json=body)
        assert answer.status_code == 200, answer.text
        name = str(answer.json()["id"])
        if settle:
            await self.until(lambda: self.well(name))
        return name

    def well(self, name: str) -> bool:
        machine = self.fly.world.machines[name]
        return machine.state == "started" and machine.healthy_at is not None

    async def until(self, holds: Callable[[], object]) -> None:
        with anyio.fail_after(20):
            while not holds():  # noqa: ASYNC110 - processes tell nobody
                await anyio.sleep(0.01)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.client.request(method, f"/v1/apps/shop{path}", **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def visit(self, path: str = "/", method: str = "GET") -> httpx.Response:
        assert self.fly.runtime is not None
        await self.until(lambda: "shop" in self.fly.runtime.urls)  # type: ignore[union-attr]
        return await self.client.request(method, f"{self.fly.runtime.urls['shop']}{path}")

    async def rests(self, name: str, state: str) -> None:
        await self.until(lambda: self.state(name) == state)

    def process(self, name: str) -> Any:
        assert self.fly.runtime is not None
        return self.fly.runtime._running[name]

    def state(self, name: str) -> str:
        return self.fly.world.machines[name].state


def commands(**options: Any) -> Commands:
    return Commands.parse([f"web={SERVER}", "broken=/no/such/program"], **options)


@pytest.fixture
def of_machines() -> bool:
    return False


@pytest.fixture
async def site(anyio_backend: Any, of_machines: bool) -> AsyncIterator[Site]:
    async with (
        Emulator(SETTINGS, commands=commands(of_machines=of_machines)) as fly,
        fly.serve() as url,
        httpx.AsyncClient(
            base_url=url, headers={"authorization": "Bearer t"}, timeout=30
        ) as client,
    ):
        await client.post("/v1/apps", json={"name": "shop"})
        yield Site(fly, client)
    assert fly.runtime is not None
    assert fly.runtime._running == {}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_machine_is_a_process_from_birth_to_death(site: Site) -> None:
    files = [{"guest_path": "/etc/../../app.conf", "raw_value": base64.b64encode(b"kept").decode()}]
    await site.call("POST", "/secrets", json={"values": {"TOKEN": "a dummy value"}})
    name = await site.machine(env={"VERSION": "one"}, files=files)
    process = site.process(name)
    pid = process._process.pid
    assert (await site.visit()).text == f"one {name}"
    assert (await site.visit("/TOKEN")).text == "a dummy value"
    assert (process.folder / "etc" / "app.conf").read_bytes() == b"kept"
    shown = await site.call("GET", f"/machines/{name}")
    assert [(one["name"], one["status"]) for one in shown["checks"]] == [
        ("servicecheck-00-http-8080", "passing")
    ]
    assert shown["checks"][0]["output"].startswith("200 one")
    await site.call("POST", f"/machines/{name}/stop")
    await site.until(lambda: site.state(name) == "stopped")
    assert not alive(pid)
    lines = [line for _, line in site.fly.world.printed[name]]
    assert lines == ["listening", "ended well"]
    await site.call("POST", f"/machines/{name}/start")
    await site.until(lambda: site.well(name))
    pid = site.process(name)._process.pid
    await site.call("DELETE", f"/machines/{name}?force=true")
    await site.until(lambda: not alive(pid))


async def test_an_update_ends_one_process_before_the_next_begins(site: Site) -> None:
    name = await site.machine(env={"VERSION": "one"})
    pid = site.process(name)._process.pid
    config = {"image": "web:2", "services": [SERVICE], "env": {"VERSION": "two"}}
    await site.call("POST", f"/machines/{name}", json={"config": config})
    await site.until(lambda: site.well(name))
    assert not alive(pid)
    assert (await site.visit()).text == f"two {name}"


async def test_a_process_that_ends_runs_again_by_its_policy(site: Site) -> None:
    name = await site.machine(restart={"policy": "on-failure", "max_retries": 1})
    first = site.process(name)
    assert (await site.visit(method="POST")).status_code == 502
    await site.until(lambda: first.ended and site.well(name) and site.process(name) is not first)
    assert (await site.visit(method="POST")).status_code == 502
    await site.until(lambda: site.state(name) == "stopped")
    codes = [
        one.request["exit_event"]["exit_code"]
        for one in site.fly.world.machines[name].events
        if one.type == "exit" and one.request
    ]
    assert codes == [3, 3]


async def test_checks_that_fail_keep_requests_away(site: Site) -> None:
    good = await site.machine()
    bad = await site.machine(env={"BROKEN": "1"}, settle=False)
    seen = site.fly.world.machines[bad].observed
    await site.until(lambda: any(one.output.startswith("500") for one in seen.values()))
    assert {(await site.visit()).text.split()[-1] for _ in range(6)} == {good}
    shown = await site.call("GET", f"/machines/{bad}")
    assert shown["checks"][0]["status"] == "critical"
    assert shown["checks"][0]["output"].startswith("500")


async def test_requests_are_spread_and_cordoned_machines_left_out(site: Site) -> None:
    names = [
        await site.machine(services=[{**SERVICE, "checks": [{"type": "tcp", "interval": "1s"}]}])
        for _ in range(3)
    ]
    assert {(await site.visit()).text.split()[-1] for _ in range(9)} == set(names)
    await site.call("POST", f"/machines/{names[0]}/cordon")
    assert {(await site.visit()).text.split()[-1] for _ in range(9)} == set(names[1:])


async def test_one_that_rests_is_started_for_a_request(site: Site) -> None:
    name = await site.machine(services=[{**SERVICE, "autostart": True, "autostop": True}])
    for way, rest in (("stop", "stopped"), ("suspend", "suspended")):
        await site.call("POST", f"/machines/{name}/{way}")
        await site.rests(name, rest)
        assert (await site.visit()).text.endswith(name)


async def test_no_second_one_is_started_while_the_first_has_its_checks_to_pass(site: Site) -> None:
    services = [{**SERVICE, "autostart": True, "autostop": True}]
    names = [await site.machine(services=services) for _ in range(2)]
    for name in names:
        await site.call("POST", f"/machines/{name}/stop")
        await site.rests(name, "stopped")
    serving = (await site.visit()).text.split()[-1]
    assert {name for name in names if site.state(name) != "stopped"} == {serving}


async def test_a_program_that_is_missing_is_an_exit(site: Site) -> None:
    answer = await site.client.post(
        "/v1/apps/shop/machines", json={"config": {"image": "broken", "restart": {"policy": "no"}}}
    )
    name = answer.json()["id"]
    await site.until(lambda: site.state(name) == "stopped")
    assert [line for _, line in site.fly.world.printed[name]] == [
        "/no/such/program: No such file or directory"
    ]


async def test_other_images_are_played(site: Site) -> None:
    answer = await site.client.post("/v1/apps/shop/machines", json={"config": {"image": "nginx"}})
    await site.until(lambda: site.state(answer.json()["id"]) == "started")
    assert site.fly.runtime is not None
    assert site.fly.runtime._running == {}


async def test_commands_of_machines_are_not_run_unless_allowed(site: Site, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    answer = await site.client.post(
        "/v1/apps/shop/machines",
        json={"config": {"image": "web", "init": {"cmd": ["touch", str(mark)]}}},
    )
    name = answer.json()["id"]
    await site.until(lambda: site.state(name) == "started")
    done = await site.call("POST", f"/machines/{name}/exec", json={"command": ["touch", str(mark)]})
    assert done["exit_code"] == 127
    assert not mark.exists()


@pytest.mark.parametrize("of_machines", [True])
async def test_commands_of_machines_run_where_they_are_allowed(site: Site) -> None:
    name = await site.machine()
    done = await site.call(
        "POST",
        f"/machines/{name}/exec",
        json={"command": ["sh", "-c", "echo $FLY_APP_NAME $PORT; pwd"]},
    )
    assert done["stdout"].split() == [
        "shop",
        str(site.process(name).ports[8080]),
        str(site.process(name).folder),
    ]
    answer = await site.client.post(
        "/v1/apps/shop/machines",
        json={
            "config": {
                "image": "web",
                "init": {"cmd": ["echo", "migrated"]},
                "restart": {"policy": "no"},
            }
        },
    )
    one = answer.json()["id"]
    await site.until(lambda: site.state(one) == "stopped")
    assert [line for _, line in site.fly.world.printed[one]] == ["migrated"]


@pytest.mark.parametrize("of_machines", [True])
async def test_a_command_in_a_machine_that_is_played_is_played_too(
    site: Site, tmp_path: Path
) -> None:
    answer = await site.client.post("/v1/apps/shop/machines", json={"config": {"image": "nginx"}})
    name = answer.json()["id"]
    await site.until(lambda: site.state(name) == "started")
    command = ["touch", str(tmp_path / "mark")]
    done = await site.call("POST", f"/machines/{name}/exec", json={"command": command})
    assert done["exit_code"] == 127
    assert not (tmp_path / "mark").exists()


async def test_a_reset_ends_all_processes(site: Site) -> None:
    pids = [site.process(await site.machine())._process.pid for _ in range(2)]
    site.fly.control.reset()
    await site.until(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("text", ["web", "=x", "web=", "web='"])
def test_what_names_no_command_is_told(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Commands.parse(["nginx=true", text])
    assert [text in problem.message for problem in refused.value.problems] == [True]


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("web", "a"),
        ("web:1", "a"),
        ("web@sha256:00", "a"),
        ("reg.fly.io/shop:v1", "b"),
        ("other", None),
        ("webx", None),
    ],
)
def test_images_by_patterns(image: str, found: str | None) -> None:
    words = Commands.parse(["web=a", "reg.fly.io/*=b"]).words({"image": image})
    assert words == (None if found is None else (found,))
    assert own_words({"init": {"entrypoint": ["x"], "cmd": ["y"]}}) == ("x", "y")
