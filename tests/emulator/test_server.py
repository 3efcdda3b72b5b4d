"""The emulator on a port, with a client that does not know it is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from tests.emulator.client import CONFIG

HEADERS = {"authorization": "Bearer token"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def served() -> AsyncIterator[tuple[Emulator, httpx.AsyncClient]]:
    settings = EmulatorSettings(rate_limits=False, boot=0.02, stop=0.02, destroy=0.02)
    async with (
        Emulator(settings) as fly,
        fly.serve() as url,
        httpx.AsyncClient(base_url=f"{url}/v1", headers=HEADERS) as client,
    ):
        assert fly.url == url
        assert (await client.post("/apps", json={"name": "shop"})).status_code == 201
        yield fly, client
    assert fly.url is None


async def test_a_machine_from_birth_to_death(served: tuple[Emulator, httpx.AsyncClient]) -> None:
    _, client = served
    machine: dict[str, Any] = (
        await client.post("/apps/shop/machines", json={"config": CONFIG, "lease_ttl": 30})
    ).json()
    path = f"/apps/shop/machines/{machine['id']}"
    nonce = {"fly-machine-lease-nonce": machine["nonce"]}
    assert (await client.get(f"{path}/wait?state=started")).json()["ok"] is True
    assert (await client.post(f"{path}/metadata/a%2Fb", json={"value": "c"})).status_code == 204
    assert (await client.get(path)).json()["config"]["metadata"] == {"a/b": "c"}
    assert (await client.delete(f"{path}?kill=true")).status_code == 409
    assert (await client.delete(f"{path}?kill=true", headers=nonce)).status_code == 200
    assert (await client.get(f"{path}/wait?state=destroyed")).status_code == 200
    assert (await client.delete("/apps/shop")).status_code == 202


async def test_many_at_once_over_few_connections(
    served: tuple[Emulator, httpx.AsyncClient],
) -> None:
    _, client = served
    states: list[str] = []

    async def one() -> None:
        machine = (await client.post("/apps/shop/machines", json={"config": CONFIG})).json()
        answer = await client.get(f"/apps/shop/machines/{machine['id']}/wait")
        states.append(answer.json()["state"])

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one)
    assert states == ["started"] * 20
    assert len((await client.get("/apps/shop/machines")).json()) == 20


async def test_a_client_that_goes_away(served: tuple[Emulator, httpx.AsyncClient]) -> None:
    fly, client = served
    body = {"config": {**CONFIG, "env": {"EMULATE_BOOT": "50"}}}
    machine = (await client.post("/apps/shop/machines", json=body)).json()
    path = f"/apps/shop/machines/{machine['id']}"
    with pytest.raises(httpx.ReadTimeout):
        await client.get(f"{path}/wait", timeout=httpx.Timeout(30, read=0.5))
    with anyio.fail_after(5):
        while fly.journal.entries[-1].operation != "Machines_wait":
            await anyio.lowlevel.checkpoint()
    assert fly.journal.entries[-1].status == 0
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("fault", "made"), [("reset", False), ("lost", True), ("hang after", True)]
)
async def test_broken_connections(
    served: tuple[Emulator, httpx.AsyncClient], fault: str, made: bool
) -> None:
    fly, client = served
    fly.faults = parse_faults(f"Machines_create: {fault}")
    client.timeout = httpx.Timeout(30, read=1)
    with pytest.raises(httpx.TransportError):
        await client.post("/apps/shop/machines", json={"config": CONFIG})
    assert len((await client.get("/apps/shop/machines")).json()) == made


@pytest.mark.parametrize("request_line", [b"nonsense\r\n\r\n", b"GET /a b HTTP/1.1\r\n\r\n"])
async def test_what_is_not_http_is_refused(
    served: tuple[Emulator, httpx.AsyncClient], request_line: bytes
) -> None:
    _, client = served
    stream = await anyio.connect_tcp("127.0.0.1", client.base_url.port or 0)
    async with stream:
        await stream.send(request_line)
        assert (await stream.receive()).startswith(b"HTTP/1.1 400")


async def test_requests_in_a_row_on_one_connection(
    served: tuple[Emulator, httpx.AsyncClient],
) -> None:
    _, client = served
    stream = await anyio.connect_tcp("127.0.0.1", client.base_url.port or 0)
    line = b"GET /v1/apps/shop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n\r\n"
    async with stream:
        await stream.send(line * 3)
        received = b""
        with anyio.fail_after(5):
            while received.count(b"HTTP/1.1 200") < 3:
                received += await stream.receive()


async def test_closing_leaves_nothing_behind() -> None:
    async with Emulator() as fly:
        async with fly.serve() as url:
            pass
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"{url}/v1/apps")


async def test_a_fault_of_the_emulator_itself_is_one_answer(
    served: tuple[Emulator, httpx.AsyncClient], caplog: pytest.LogCaptureFixture
) -> None:
    fly, client = served
    record = fly.world.apps["shop"]
    record.machines.append("missing")
    answer = await client.get("/apps/shop")
    assert (answer.status_code, answer.json()["error"]) == (500, "the emulator failed: KeyError")
    assert "failed to answer GET /v1/apps/shop" in caplog.text
    record.machines.clear()
    assert (await client.get("/apps/shop")).status_code == 200


async def test_errors_of_the_block_come_out_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Emulator() as fly, fly.serve():
            raise ZeroDivisionError
    assert fly.url is None


async def test_a_port_in_use_is_an_ordinary_error() -> None:
    async with Emulator() as fly, fly.serve() as url:
        port = httpx.URL(url).port or 0
        with pytest.raises(OSError, match="in use"):
            async with Emulator() as other, other.serve(port):
                pass
