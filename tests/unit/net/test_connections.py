"""Connections for thousands of requests: used again, never two requests at once on one."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, field

from fly_machines.models import CreateLeaseRequest
from score_flyio.errors import FlyError
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.net.connections import MOST_BRIEF, Connections
from score_flyio.net.exchange import Asked, NoAnswerError, UnreadableError, trusting_nobody


@define
class Server:
    """Answers each request with its path, gzipped, as soon as `answering` is set."""

    port: int = 0
    opened: int = 0
    asked: int = 0
    answering: anyio.Event = field(factory=anyio.Event)
    ends: bool = False
    """Whether it closes a connection after each answer, without having said so."""
    lies: bool = False
    """Whether its answers are not gzipped, though they say so."""
    texts: list[str] = field(factory=list)
    """What it was sent."""
    cuts: bool = False
    """Whether it closes a connection instead of answering."""

    @property
    def machines(self) -> set[str]:
        """Which machines it was asked about."""
        heads = [text.split()[1] for text in self.texts if "HTTP/1.1" in text]
        return {head.split("/")[5].partition("?")[0] for head in heads}

    async def answer(self, stream: SocketStream) -> None:
        self.opened += 1
        async with stream:
            while True:
                try:
                    text = (await stream.receive()).decode()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
                self.asked += 1
                self.texts.append(text)
                await self.answering.wait()
                if self.cuts:
                    return
                body = text.split(" ")[1].encode()
                body = body if self.lies else gzip.compress(body)
                head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}"
                await stream.send(head.encode() + b"\r\n\r\n" + body)
                if self.ends:
                    return


@asynccontextmanager
async def served() -> AsyncIterator[Server]:
    server = Server()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        server.port = listener.extra(SocketAttribute.local_port)
        tasks.start_soon(listener.serve, server.answer)
        yield server
        tasks.cancel_scope.cancel()


async def ask(connections: Connections, server: Server, path: str, *, brief: bool = False) -> str:
    url = f"http://127.0.0.1:{server.port}{path}"
    headers = {"accept": "*/*"}
    asked = Asked(method="GET", url=url, headers=headers, seconds=5.0, brief=brief)
    return (await connections.exchange(asked)).text


async def test_there_are_no_more_connections_than_requests_at_once() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        answers: list[str] = []

        async def one(number: int) -> None:
            answers.append(await ask(connections, server, f"/{number}"))

        for _ in range(3):
            server.answering = anyio.Event()
            async with anyio.create_task_group() as tasks:
                for number in range(4):
                    tasks.start_soon(one, number)
                await anyio.wait_all_tasks_blocked()
                server.answering.set()
            assert await ask(connections, server, "/alone") == "/alone"
        assert sorted(answers) == sorted(["/0", "/1", "/2", "/3"] * 3)
        assert server.opened == 4


async def test_brief_requests_wait_for_each_other_and_no_others_for_them() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        answers: list[str] = []

        async def one(path: str, *, brief: bool) -> None:
            answers.append(await ask(connections, server, path, brief=brief))

        async with anyio.create_task_group() as tasks:
            for number in range(MOST_BRIEF + 5):
                tasks.start_soon(partial(one, f"/{number}", brief=True))
            while server.asked < MOST_BRIEF:
                await anyio.wait_all_tasks_blocked()
            tasks.start_soon(partial(one, "/long", brief=False))
            while server.asked <= MOST_BRIEF:
                await anyio.wait_all_tasks_blocked()
            assert server.opened == MOST_BRIEF + 1
            server.answering.set()
        assert len(answers) == MOST_BRIEF + 6
        assert server.opened == MOST_BRIEF + 1


async def test_leases_and_looks_are_brief_and_changes_of_machines_are_not() -> None:
    async with (
        served() as server,
        FlyClient(f"http://127.0.0.1:{server.port}", Tokens.parse("t")) as client,
    ):

        async def one(call: Callable[[str, str], Awaitable[object]], machine: str) -> None:
            with suppress(FlyError):
                await call("web", machine)

        async def leased(app: str, machine: str) -> object:
            return await client.api.machines_create_lease(app, machine, CreateLeaseRequest())

        async with anyio.create_task_group() as tasks:
            for number in range(MOST_BRIEF):
                call = leased if number % 2 else client.api.machines_show
                tasks.start_soon(one, call, f"{number}")
            while len(server.machines) < MOST_BRIEF:
                await anyio.wait_all_tasks_blocked()
            first = set(server.machines)
            tasks.start_soon(one, client.api.machines_show, "look")
            tasks.start_soon(one, leased, "lease")
            tasks.start_soon(one, client.api.machines_delete, "change")
            tasks.start_soon(one, client.api.machines_wait, "wait")
            while not {"change", "wait"} <= server.machines:
                await anyio.wait_all_tasks_blocked()
            assert server.machines - first == {"change", "wait"}
            tasks.cancel_scope.cancel()


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        server.ends = True
        server.answering.set()
        assert await ask(connections, server, "/a") == "/a"
        await anyio.wait_all_tasks_blocked()
        assert await ask(connections, server, "/b") == "/b"
        assert (server.opened, server.asked) == (2, 2)


async def test_nor_is_one_whose_request_was_given_up() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        with anyio.move_on_after(5) as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, connections, server, "/given-up")
                while not server.asked:
                    await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
        assert not scope.cancelled_caught
        server.answering.set()
        assert await ask(connections, server, "/b") == "/b"
        assert server.opened == 2


async def test_no_answer_is_told_with_whether_the_request_was_sent() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        server.cuts = True
        server.answering.set()
        with pytest.raises(NoAnswerError, match="RemoteProtocolError") as cut:
            await ask(connections, server, "/a")
        assert (cut.value.sent, cut.value.late) == (True, False)
        server.port = 1
        with pytest.raises(NoAnswerError, match="ConnectError") as refused:
            await ask(connections, server, "/a")
        assert (refused.value.sent, refused.value.late) == (False, False)


async def test_what_a_server_is_sent() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        server.answering.set()
        url = f"http://127.0.0.1:{server.port}/v1/a%20b?c=d"
        for method, body in (("GET", None), ("POST", None), ("POST", b"{}")):
            asked = Asked(method=method, url=url, headers={"x-own": "é"}, body=body, seconds=5.0)
            assert (await connections.exchange(asked)).text == "/v1/a%20b?c=d"
    host = f"host: 127.0.0.1:{server.port}"
    heads = [text.lower().partition("\r\n\r\n")[0].splitlines() for text in server.texts[:3]]
    assert all({host, "x-own: é"} <= set(head) for head in heads)
    lengths = [[line for line in head if line.startswith("content-length")] for head in heads]
    assert lengths == [[], ["content-length: 0"], ["content-length: 2"]]


async def test_a_body_that_is_not_what_it_says_is_told() -> None:
    async with served() as server, aclosing(Connections(trusting_nobody())) as connections:
        server.answering.set()
        server.lies = True
        with pytest.raises(UnreadableError, match="DecodingError"):
            await ask(connections, server, "/a")
