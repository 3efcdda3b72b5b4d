"""The private names by which processes of machines reach each other."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import frozen

from fly_emulator import Commands, Emulator, EmulatorSettings

SETTINGS = EmulatorSettings(rate_limits=False, boot=0.01, stop=0.01, prepare=0.01)
SERVER = f"web={sys.executable} {Path(__file__).with_name('server.py')}"
WEB: dict[str, Any] = {
    "protocol": "tcp",
    "internal_port": 8080,
    "ports": [{"port": 443, "handlers": ["tls", "http"]}],
    "checks": [{"type": "tcp", "interval": "1s"}],
}


@frozen
class Site:
    fly: Emulator
    client: httpx.AsyncClient
    web: str
    worker: str

    @property
    def proxy(self) -> str:
        assert self.fly.runtime is not None
        machine = self.fly.world.machines[self.web]
        return self.fly.runtime.environment(machine, {})["http_proxy"]

    async def ask(self, url: str, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient(proxy=self.proxy, trust_env=False) as client:
            return await client.get(url, **options)

    async def who(self, url: str) -> set[str]:
        """Which machines answer."""
        return {(await self.ask(url)).text.split()[-1] for _ in range(4)}


@pytest.fixture
async def site(anyio_backend: Any) -> AsyncIterator[Site]:
    async with (
        Emulator(SETTINGS, commands=Commands.parse([SERVER], of_machines=True)) as fly,
        fly.serve() as url,
        httpx.AsyncClient(
            base_url=url, headers={"authorization": "Bearer t"}, timeout=30
        ) as client,
    ):
        await client.post("/v1/apps", json={"name": "shop"})
        names = []
        for region, group in (("iad", "web"), ("lhr", "worker")):
            config = {"image": "web", "services": [WEB], "metadata": {"fly_process_group": group}}
            body = {"config": config, "region": region}
            answer = await client.post("/v1/apps/shop/machines", json=body)
            names.append(str(answer.json()["id"]))
        with anyio.fail_after(20):
            while not all(fly.world.machines[name].healthy_at for name in names):  # noqa: ASYNC110
                await anyio.sleep(0.01)
        yield Site(fly, client, *names)


async def test_each_kind_of_name(site: Site) -> None:
    both = {site.web, site.worker}
    assert await site.who("http://shop.internal:8080/") == both
    assert await site.who("http://global.shop.internal:8080/") == both
    assert await site.who("http://top2.nearest.of.shop.internal:8080/") == both
    assert await site.who("http://lhr.shop.internal:8080/") == {site.worker}
    assert await site.who("http://web.process.shop.internal:8080/") == {site.web}
    assert await site.who(f"http://{site.worker}.vm.shop.internal:8080/") == {site.worker}
    assert await site.who("http://SHOP.flycast/") == both


@pytest.mark.parametrize(
    "url",
    [
        "http://other.internal:8080/",
        "http://ams.shop.internal:8080/",
        "http://shop.internal:9090/",
        "http://shop.internal/",
        "http://other.flycast/",
        "http://127.0.0.1:1/",
    ],
)
async def test_nobody_there(site: Site, url: str) -> None:
    assert (await site.ask(url)).status_code == 502


async def test_the_name_of_a_machine_at_rest_leads_to_the_other(site: Site) -> None:
    await site.client.post(f"/v1/apps/shop/machines/{site.web}/stop")
    await site.client.get(f"/v1/apps/shop/machines/{site.web}/wait?state=stopped&timeout=20")
    assert await site.who("http://shop.internal:8080/") == {site.worker}


async def test_other_addresses_are_passed_on(site: Site) -> None:
    assert site.fly.url is not None
    answer = await site.ask(f"{site.fly.url}/health?a=b")
    assert (answer.status_code, "via" in answer.headers) == (200, False)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(site.proxy)).status_code == 400


async def test_any_port_by_connect(site: Site) -> None:
    host, _, port = site.proxy.removeprefix("http://").partition(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        await stream.send(b"CONNECT lhr.shop.internal:8080 HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 200 ")
        await stream.send(b"GET / HTTP/1.0\r\n\r\n")
        seen = b"".join([data async for data in stream])
    assert seen.endswith(site.worker.encode())


async def test_processes_find_each_other_by_name(site: Site) -> None:
    program = (
        "import urllib.request as r; "
        "print(r.urlopen('http://lhr.shop.internal:8080/').read().decode())"
    )
    answer = await site.client.post(
        f"/v1/apps/shop/machines/{site.web}/exec",
        json={"command": [sys.executable, "-c", program]},
    )
    assert answer.json()["stdout"].split() == [site.worker], answer.text
