"""Tokens that expire are renewed in time, or it is said before anything changes."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.macaroon import read_macaroon
from score_flyio.errors import ConfigError
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.fly.login import Login, seconds_left

NOW = 1_700_000_000.0
API = "https://api.fly.io/aaa/v1"


class HandClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


def pack(value: Any) -> bytes:
    """msgpack, in the forms that the macaroon library writes."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int() if 0 <= value <= 0x7F:
            return bytes([value])
        case int():
            return b"\xcf" + struct.pack(">Q", value)
        case bytes():
            return b"\xc5" + struct.pack(">H", len(value)) + value
        case str():
            raw = value.encode()
            return b"\xd9" + bytes([len(raw)]) + raw
        case dict():
            items = b"".join(pack(k) + pack(v) for k, v in value.items())
            return bytes([0x80 | len(value)]) + items
        case _:
            return bytes([0x90 | len(value)]) + b"".join(map(pack, value))


def token(
    key: bytes = b"key",
    *,
    ends: float | None = None,
    third: tuple[str, bytes] | None = None,
) -> str:
    caveats: list[Any] = [2, [{"a": None}, True]]
    caveats += [] if ends is None else [4, [int(NOW) - 60, int(ends)]]
    caveats += [] if third is None else [11, [third[0], b"verifier", third[1]]]
    raw = pack([[key, b"random", False], API, caveats, b"tail"])
    return "fm2_" + base64.b64encode(raw).decode()


ACCESS = token(third=(API, b"ticket"), ends=NOW + 86_400)


def discharge(ends: float) -> str:
    return token(b"ticket", ends=ends)


def test_what_a_macaroon_says() -> None:
    found = read_macaroon(token(b"k", ends=NOW, third=(API, b"ticket")))
    assert found is not None
    assert (found.key, found.not_after) == (b"k", NOW)
    assert [(each.location, each.ticket) for each in found.third_parties] == [(API, b"ticket")]


@pytest.mark.parametrize("text", ["fm2_", "fm2_abc", "fm2_!!", "fo1_x", "fm1r_x", "fm2_wA=="])
def test_what_is_no_macaroon_of_the_known_form_says_nothing(text: str) -> None:
    assert read_macaroon(text) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    read_macaroon("fm2_" + base64.b64encode(raw).decode())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("fo1_user", None),
        ("fm2_unreadable", None),
        (token(), None),
        (token(ends=NOW + 500), 500),
        (f"{ACCESS},{discharge(NOW + 300)},fo1_user", 300),
        (f"{ACCESS},fo1_user", -NOW),
        (f"{ACCESS},{discharge(NOW + 300)},{discharge(NOW + 700)}", 700),
        (f"{token(ends=NOW + 90)},{token(ends=NOW + 900)}", 90),
    ],
)
def test_the_time_left(text: str, left: float | None) -> None:
    assert seconds_left(Tokens.parse(text), NOW) == left


class Auth(httpx.AsyncBaseTransport):
    """Answers the calls for discharges, and remembers them."""

    def __init__(self, clock: HandClock, *answers: Any) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.seen.append(request)
        answer = self.answers.pop(0) if self.answers else self.fresh()
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx.Response(status, json=body, request=request)

    def fresh(self) -> tuple[int, Any]:
        return 200, {"discharge": discharge(self.clock.now + 600)}


def make(text: str, *answers: Any) -> tuple[Login, Auth, HandClock]:
    clock = HandClock()
    auth = Auth(clock, *answers)
    client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(transport=auth)  # noqa: E731
    return Login(Tokens.parse(text), clock=clock, client=client), auth, clock


async def test_a_discharge_is_renewed_two_minutes_ahead_and_during_a_long_run() -> None:
    login, auth, clock = make(f"{ACCESS},{discharge(NOW + 300)},fo1_user")
    await login.fresh()
    assert auth.seen == []
    for later in (190, 800, 1300):
        clock.now = NOW + later
        tokens = await login.fresh()
        assert (seconds_left(tokens, clock.now) or 0) >= 120
        assert tokens.authorization.reveal().startswith(f"FlyV1 {ACCESS},")
    assert len(auth.seen) == 3
    request = auth.seen[0]
    assert str(request.url) == f"{API}/.well-known/macfly/3p"
    assert request.headers["authorization"] == "Bearer fo1_user"
    assert json.loads(request.content) == {"ticket": base64.b64encode(b"ticket").decode()}


async def test_many_calls_at_once_renew_once() -> None:
    login, auth, _ = make(f"{ACCESS},fo1_user")
    async with anyio.create_task_group() as tasks:
        for _number in range(5):
            tasks.start_soon(login.fresh)
    assert len(auth.seen) == 1


async def test_a_discharge_may_have_to_be_asked_for_again() -> None:
    poll = (201, {"poll_url": "https://api.fly.io/poll/1"})
    login, auth, _ = make(f"{ACCESS},fo1_user", poll, (202, {}))
    tokens = await login.fresh()
    assert seconds_left(tokens, NOW) == 600
    assert [str(request.url.path) for request in auth.seen][1:] == ["/poll/1", "/poll/1"]
    assert "authorization" not in auth.seen[1].headers


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"user_interactive": {"user_url": "https://fly.io"}}),
        (200, {"error": "no"}),
        (500, {}),
        (200, {"poll_url": "https://elsewhere.example/x"}),
        httpx.ConnectError("no"),
    ],
)
async def test_without_a_discharge_the_users_own_token_goes_alone(answer: Any) -> None:
    login, _, _ = make(f"{ACCESS},{discharge(NOW - 5)},fo1_user", answer)
    tokens = await login.fresh()
    assert tokens.authorization.reveal() == "Bearer fo1_user"


async def test_a_macaroon_that_ended_is_left_out() -> None:
    login, auth, _ = make(f"{token(ends=NOW - 1)},fo1_user")
    assert (await login.fresh()).authorization.reveal() == "Bearer fo1_user"
    assert auth.seen == []


async def test_the_users_own_token_is_shown_to_fly_alone() -> None:
    elsewhere = token(third=("https://evil.example", b"ticket"))
    login, auth, _ = make(f"{elsewhere},fo1_user")
    await login.fresh()
    assert auth.seen == []


@pytest.mark.parametrize(
    ("text", "left"), [(token(ends=NOW - 5), 0), (token(ends=NOW + 60), 60), (ACCESS, 0)]
)
async def test_what_cannot_be_renewed_is_told_before_anything_changes(text: str, left: int) -> None:
    login, _, _ = make(text)
    with pytest.raises(ConfigError, match="expires in 60 s" if left else "has expired") as caught:
        await login.check()
    assert caught.value.code == "token_expired"
    assert "fly auth login" in (caught.value.hint or "")
    assert text not in repr(caught.value)


async def test_a_token_that_lasts_is_left_alone() -> None:
    login, auth, _ = make(f"{token(ends=NOW + 630_720_000)}")
    await login.check()
    assert auth.seen == []


async def test_calls_go_out_with_what_was_renewed() -> None:
    sent: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json={})

    login, _, clock = make(f"{ACCESS},fo1_user")
    transport = httpx.MockTransport(answer)
    async with FlyClient("https://machines.test", login, transport=lambda: transport) as client:
        await client.api.platform_regions_get()
        clock.now += 590
        await client.api.platform_regions_get()
    assert len(set(sent)) == 2
    assert all(text.startswith(f"FlyV1 {ACCESS},fm2_") for text in sent)
