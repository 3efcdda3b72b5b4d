"""What the proxy of an app passes on: as it came, piece by piece, both ways."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from anyio.abc import SocketStream
from attrs import frozen

from fly_emulator import Commands, Emulator, EmulatorSettings
from fly_emulator.runtime.app_proxy import Door, doors

SETTINGS = EmulatorSettings(rate_limits=False, boot=0.01, stop=0.01, destroy=0.01, prepare=0.01)
SPEAKER = f"speaker={sys.executable} {Path(__file__).with_name('speaker.py')}"
WEB: dict[str, Any] = {
    "protocol": "tcp",
    "internal_port": 8080,
    "ports": [
        {"port": 80, "handlers": ["http"], "force_https": True},
        {"port": 443, "handlers": ["tls", "http"]},
    ],
    "checks": [{"type": "tcp", "interval": "1s"}],
}
LINES: dict[str, Any] = {
    "protocol": "tcp",
    "internal_port": 5432,
    "ports": [{"port": 5432}],
    "checks": [{"type": "tcp", "interval": "1s"}],
}


@frozen
class Site:
    fly: Emulator
    client: httpx.AsyncClient
    machine: str

    @property
    def urls(self) -> dict[str, str]:
        assert self.fly.runtime is not None
        return self.fly.runtime.urls

    async def connect(self, name: str = "shop") -> SocketStream:
        return await anyio.connect_tcp("127.0.0.1", urlsplit(self.urls[name]).port or 0)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.client.request(method, self.urls["shop"] + path, **options)

    async def raw(self, text: str) -> bytes:
        """Send a text, and read until the connection ends."""
        async with await self.connect() as stream:
            await stream.send(text.replace("\n", "\r\n").encode())
            return b"".join([data async for data in stream])

    async def printed(self, line: str) -> None:
        lines = self.fly.world.printed[self.machine]
        await self.until(lambda: line in [text for _, text in lines])

    async def until(self, holds: Any) -> None:
        with anyio.fail_after(20):
            while not holds():  # noqa: ASYNC110 - processes tell nobody
                await anyio.sleep(0.01)


async def run(fly: Emulator, client: httpx.AsyncClient, proto: Any = None) -> str:
    lines = LINES if proto is None else {**LINES, "ports": [{"port": 5432, **proto}]}
    config = {"image": "speaker", "services": [WEB, lines]}
    answer = await client.post("/v1/apps/shop/machines", json={"config": config})
    name = str(answer.json()["id"])
    site = Site(fly, client, name)
    await site.until(lambda: fly.world.machines[name].healthy_at and len(site.urls) == 2)
    return name


@pytest.fixture
async def site(anyio_backend: Any, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with (
        Emulator(SETTINGS, commands=Commands.parse([SPEAKER])) as fly,
        fly.serve() as url,
        httpx.AsyncClient(
            base_url=url, headers={"authorization": "Bearer t"}, timeout=30
        ) as client,
    ):
        await client.post("/v1/apps", json={"name": "shop"})
        yield Site(fly, client, await run(fly, client, getattr(request, "param", None)))


async def test_headers_pass_as_often_as_they_came(site: Site) -> None:
    answer = await site.ask("GET", "/cookies")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-mine"] == "kept"
    headers = [
        ("accept", "a/b"),
        ("accept", "c/d"),
        ("x-forwarded-for", "10.0.0.1"),
        ("fly-client-ip", "1.2.3.4"),
    ]
    shown = (await site.ask("GET", "/headers_of_request", headers=headers)).text.split("\n")
    assert [line for line in shown if line.startswith("accept:")] == ["accept: a/b", "accept: c/d"]
    assert "x-forwarded-for: 10.0.0.1, 127.0.0.1" in shown
    assert "fly-client-ip: 127.0.0.1" in shown


async def test_both_bodies_are_streams(site: Site) -> None:
    async with await site.connect() as stream:
        await stream.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        seen = b""
        for word in (b"one", b"two"):
            await stream.send(b"3\r\n" + word + b"\r\n")
            while word not in seen:
                seen += await stream.receive()
        await stream.send(b"0\r\n\r\n")
        while not seen.endswith(b"\r\n\r\n"):
            seen += await stream.receive()
    assert seen.endswith(b"3\r\ntwo\r\n0\r\nx-sum: 6\r\n\r\n")


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
async def test_a_body_of_a_length(site: Site, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    answer = await site.ask("POST", "/length", content=body)
    assert answer.content == body
    assert answer.headers["content-length"] == str(size)


async def test_a_connection_is_kept_and_requests_may_follow_at_once(site: Site) -> None:
    first = (
        "GET / HTTP/1.1\nhost: x\n\nHEAD / HTTP/1.1\nhost: x\n\nGET /empty HTTP/1.1\nhost: x\n\n"
    )
    seen = await site.raw(f"{first}GET /cookies HTTP/1.1\nhost: x\nconnection: close\n\n")
    assert seen.count(b"HTTP/1.1 200") == 3
    assert seen.count(b"HTTP/1.1 204") == 1
    assert seen.count(b"plain") == 1
    assert seen.count(b"content-length: 5") == 2


async def test_answers_before_the_final_one(site: Site) -> None:
    ask = "GET /hints HTTP/1.1\nhost: x\nconnection: close\n\n"
    seen = await site.raw(ask)
    assert seen.startswith(b"HTTP/1.1 103 ")
    assert b"link: </style.css>\r\n\r\nHTTP/1.1 200 OK" in seen
    assert b" 103 " not in await site.raw("GET /hints HTTP/1.0\n\n")
    async with await site.connect() as stream:
        await stream.send(
            b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
        )
        assert (await stream.receive()).startswith(b"HTTP/1.1 100 ")
        await stream.send(b"ok")
        seen = b""
        while not seen.endswith(b"ok"):
            seen += await stream.receive()


async def test_old_clients_and_bodies_without_a_length(site: Site) -> None:
    seen = await site.raw("GET / HTTP/1.0\n\n")
    assert seen.endswith(b"\r\n\r\nplain")
    seen = await site.raw("GET /until_the_end HTTP/1.0\n\n")
    assert b"chunked" not in seen
    assert seen.endswith(b"\r\n\r\nall of it")
    assert (await site.ask("GET", "/until_the_end")).text == "all of it"


async def test_what_ends_too_early_is_no_whole_answer(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await site.ask("GET", "/cut")
    answer = await site.ask("POST", "/nothing", content=b"x")
    assert answer.status_code == 502
    assert site.machine in answer.text
    assert (await site.ask("HEAD", "/nothing")).status_code == 502


async def test_an_answer_before_the_body_is_read(site: Site) -> None:
    async with await site.connect() as stream:
        await stream.send(b"POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\nx")
        seen = b"".join([data async for data in stream])
    assert seen.startswith(b"HTTP/1.1 413 ")
    assert seen.endswith(b"too much")


async def test_a_client_that_goes_takes_its_request_along(site: Site) -> None:
    stream = await site.connect()
    await stream.send(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
    await site.printed("waiting")
    await stream.aclose()
    await site.printed("gone")


async def test_a_connection_becomes_something_else(site: Site) -> None:
    stream = await site.connect()
    await stream.send(
        b"GET /upgrade HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nfirst"
    )
    seen = b""
    while not seen.endswith(b"\r\n\r\nhello first"):
        seen += await stream.receive()
    assert seen.startswith(b"HTTP/1.1 101 ")
    await stream.send(b"second")
    assert await stream.receive() == b"second"
    await stream.aclose()
    await site.printed("ended")


async def test_what_is_no_http_is_refused(site: Site) -> None:
    assert (await site.raw("nonsense\n\n")).startswith(b"HTTP/1.1 400 ")


async def talk(site: Site) -> bytes:
    async with await site.connect("shop:5432") as stream:
        await stream.send(b"I\n")
        await stream.send_eof()
        return b"".join([data async for data in stream])


async def test_a_service_without_http_is_a_connection(site: Site) -> None:
    assert site.urls["shop:5432"].startswith("tcp://127.0.0.1:")
    assert await talk(site) == b"who? I\nbye"


@pytest.mark.parametrize(
    ("site", "begin"),
    [
        ({"handlers": ["proxy_proto"]}, b"who? PROXY TCP4 127.0.0.1 127.0.0.1 "),
        (
            {"handlers": ["proxy_proto"], "proxy_proto_options": {"version": "v2"}},
            b"who? \r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01",
        ),
        ({"handlers": ["tls"]}, b"who? I\nbye"),
    ],
    indirect=["site"],
)
async def test_a_connection_is_announced_where_its_port_wants_that(
    site: Site, begin: bytes
) -> None:
    assert (await talk(site)).startswith(begin)


async def test_the_doors_go_with_their_app(site: Site) -> None:
    await site.client.delete("/v1/apps/shop?force=true")
    await site.until(lambda: not site.urls)


def test_doors() -> None:
    udp = {"protocol": "udp", "internal_port": 53, "ports": [{"port": 53}]}
    range_ = {
        "protocol": "tcp",
        "internal_port": 1,
        "ports": [{"start_port": 100, "end_port": 200}],
    }
    found = doors({"services": [WEB, udp, LINES, range_, {"protocol": "tcp", "internal_port": 9}]})
    assert list(found) == [
        Door(port=443, http=True),
        Door(port=5432, http=False),
        Door(port=100, http=False),
    ]
