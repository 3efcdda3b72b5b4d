"""One call: what is sent, what comes back, and what is repeated."""

from __future__ import annotations

import json
import random
import ssl
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from fly_machines import OPERATIONS, models, operations
from score_flyio import errors
from score_flyio.errors import ConfigError
from score_flyio.events import RateLimitHit, RequestFinished, RequestRetried, to_json
from score_flyio.fly.auth import Tokens
from score_flyio.fly.errors import is_doubtful
from score_flyio.fly.login import Login
from score_flyio.fly.retry import RetryPolicy, is_repeatable
from score_flyio.fly.transport import Call, HttpTransport, api_address
from score_flyio.net.exchange import Answered, Asked
from tests.unit.fly.scripted import TOKEN, Connect, Seen, answer

REFUSED = httpx.ConnectError("refused")
CUT = httpx.ReadError("reset")


async def test_what_goes_over_the_wire(connect: Connect) -> None:
    session = connect([answer(200, {"id": "m1"})])
    machine = await session.client.api.machines_update(
        "my app",
        "m/1",
        models.UpdateMachineRequest(config=models.FlyMachineConfig(image="i"), skip_launch=False),
        fly_machine_lease_nonce="n1",
    )
    [seen] = session.platform.seen
    assert machine.id == "m1"
    assert (seen.method, seen.path) == ("POST", "/v1/apps/my%20app/machines/m%2F1")
    assert seen.body == {"config": {"image": "i"}, "skip_launch": False}
    assert seen.headers["authorization"] == f"FlyV1 {TOKEN}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["fly-machine-lease-nonce"] == "n1"
    assert seen.headers["user-agent"].startswith("score-flyio/")


async def test_query_parameters_are_left_out_repeated_and_prefixed(connect: Connect) -> None:
    session = connect([answer(200, []), answer(200, {"ok": True})])
    api = session.client.api
    await api.machines_list("web", include_deleted=True, summary=False, metadata={"k": "v w"})
    await api.machines_wait("web", "m1", state=["started", "failed"], timeout=30)
    first, second = (seen.query for seen in session.platform.seen)
    assert first == (("include_deleted", "true"), ("summary", "false"), ("metadata.k", "v w"))
    assert second == (("timeout", "30"), ("state", "started"), ("state", "failed"))
    assert "fly-machine-lease-nonce" not in session.platform.seen[0].headers


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(200, {"ok": True, "new": 1}), models.OkResponse(ok=True, extra={"new": 1})),
        (answer(200), models.OkResponse()),
        (answer(204), models.OkResponse()),
    ],
)
async def test_an_empty_answer_is_an_object_without_fields(
    connect: Connect, response: httpx.Response, expected: models.OkResponse
) -> None:
    assert await connect([response]).client.api.machines_stop("web", "m1") == expected


async def test_text_answers_and_ignored_bodies(connect: Connect) -> None:
    text = httpx.Response(200, text="jwt", headers={"content-type": "text/plain"})
    session = connect([text, answer(202, {"whatever": 1})])
    assert await session.client.api.tokens_request_kms() == "jwt"
    result: Any = await session.client.api.apps_delete("web")  # type: ignore[func-returns-value]
    assert result is None


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>", headers={"content-type": "application/json"}),
        httpx.Response(200, text="<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, text="[" * 100_000, headers={"content-type": "application/json"}),
        httpx.Response(200, text='{"a":' * 100_000, headers={"content-type": "application/json"}),
        answer(200, [1]),
        answer(200, {"id": 5}),
    ],
)
async def test_an_answer_of_another_shape_is_a_protocol_error(
    connect: Connect, response: httpx.Response
) -> None:
    with pytest.raises(errors.FlyProtocolError) as caught:
        await connect([response] * 5).client.api.machines_show("web", "m1")
    assert "GET /v1/apps/web/machines/m1" in str(caught.value)


async def test_a_list_that_is_missing_is_no_empty_list(connect: Connect) -> None:
    with pytest.raises(errors.FlyProtocolError):
        await connect([answer(200)] * 5).client.api.machines_list("web")


# --- repeats


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        CUT,
        httpx.ReadTimeout("late"),
        answer(500),
        answer(503),
        answer(408),
        httpx.Response(200, text="<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, text='{"id": "m', headers={"content-type": "application/json"}),
        httpx.Response(200, text="null", headers={"content-type": "application/json"}),
    ],
)
async def test_a_read_is_repeated_after_a_failure_that_may_pass(
    connect: Connect, failure: Any
) -> None:
    session = connect([failure, answer(200, {"id": "m1"})])
    assert (await session.client.api.machines_show("web", "m1")).id == "m1"
    [retried] = session.of(RequestRetried)
    assert session.platform.seen[1].at - session.platform.seen[0].at == pytest.approx(retried.delay)


@pytest.mark.parametrize(
    "failure",
    [CUT, httpx.WriteError("x"), httpx.RemoteProtocolError("x"), answer(503), answer(408)],
)
async def test_a_creation_is_not_repeated_when_its_outcome_is_unknown(
    connect: Connect, failure: Any
) -> None:
    session = connect([failure])
    with pytest.raises(errors.FlyError) as caught:
        await session.client.api.machines_create("web", models.CreateMachineRequest())
    assert is_doubtful(caught.value)
    assert len(session.platform.seen) == 1


@pytest.mark.parametrize(
    "failure", [REFUSED, httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), answer(429)]
)
async def test_a_creation_is_repeated_when_it_certainly_was_not_carried_out(
    connect: Connect, failure: Any
) -> None:
    session = connect([failure, answer(200, {"id": "m1"})])
    made = await session.client.api.machines_create("web", models.CreateMachineRequest())
    assert made.id == "m1"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 501])
async def test_a_final_answer_is_not_repeated(connect: Connect, status: int) -> None:
    session = connect([answer(status, {"error": "no"})])
    with pytest.raises(errors.FlyApiError):
        await session.client.api.machines_show("web", "m1")
    assert len(session.platform.seen) == 1


async def test_not_yet_is_the_answer_of_a_wait(connect: Connect) -> None:
    session = connect([answer(408, {"error": "timeout"})])
    with pytest.raises(errors.RequestTimedOut):
        await session.client.api.machines_wait("web", "m1", timeout=60)
    assert len(session.platform.seen) == 1


async def test_giving_up_after_so_many_attempts(connect: Connect) -> None:
    session = connect(lambda _: answer(500), retry=RetryPolicy(attempts=3))
    with pytest.raises(errors.FlyServerError):
        await session.client.api.machines_show("web", "m1")
    assert len(session.platform.seen) == 3
    assert len(session.of(RequestRetried)) == 2


async def test_a_repeat_that_would_come_after_the_deadline_is_not_waited_for(
    connect: Connect,
) -> None:
    session = connect(lambda _: answer(500), retry=RetryPolicy(attempts=50, first_delay=4))
    with anyio.fail_after(9), pytest.raises(errors.FlyServerError):
        await session.client.api.machines_show("web", "m1")


async def test_a_renewal_of_a_lease_is_repeated_and_a_first_lease_is_not(connect: Connect) -> None:
    lease = answer(201, {"status": "success", "data": {"nonce": "n"}})
    request = models.CreateLeaseRequest(ttl=30)
    session = connect([answer(500), lease])
    api = session.client.api
    await api.machines_create_lease("web", "m1", request, fly_machine_lease_nonce="n")
    session = connect([answer(500), lease])
    with pytest.raises(errors.FlyServerError):
        await session.client.api.machines_create_lease("web", "m1", request)


NOT_REPEATABLE = {
    "Apps_create", "App_Certificates_acme_create",
    "App_create_deploy_token", "App_IPAssignments_create", "Machines_create", "Machines_update",
    "Machines_exec", "Machines_create_lease", "Machines_reclaim_memory", "Machines_restart",
    "Machines_signal", "Secretkey_generate", "Volumes_create", "Volumes_create_snapshot",
    "ManagedPostgres_create", "NetworkPolicies_set",
}  # fmt: skip


def test_which_operations_are_repeatable() -> None:
    assert {op.id for op in OPERATIONS if not is_repeatable(op, {})} == NOT_REPEATABLE


# --- rate limit


async def test_retry_after_is_honoured(connect: Connect) -> None:
    session = connect([answer(429, {"error": "slow down"}, retry_after="7"), answer(200, [])])
    await session.client.api.machines_list("web")
    first, second = session.platform.seen
    assert second.at - first.at == pytest.approx(7)
    assert [hit.delay for hit in session.of(RateLimitHit)] == [7]


async def test_without_retry_after_the_pauses_grow(connect: Connect) -> None:
    session = connect([answer(429)] * 3 + [answer(200, [])])
    await session.client.api.machines_list("web")
    delays = [hit.delay for hit in session.of(RateLimitHit)]
    assert 1 <= delays[0] < delays[1] < delays[2]


async def test_patience_with_the_rate_limit_ends(connect: Connect) -> None:
    session = connect(lambda _: answer(429), retry=RetryPolicy(rate_limit_patience=30))
    start = anyio.current_time()
    with pytest.raises(errors.RateLimited):
        await session.client.api.machines_list("web")
    assert anyio.current_time() - start <= 30
    once = connect(lambda _: answer(429), retry=RetryPolicy(attempts=1, rate_limit_patience=0))
    with pytest.raises(errors.RateLimited):
        await once.client.api.machines_list("web")
    assert len(once.platform.seen) == 1


# --- time limits


async def test_a_wait_is_given_longer_than_its_own_time_limit(connect: Connect) -> None:
    async def slow(_seen: Seen) -> httpx.Response:
        await anyio.sleep(60)
        return answer(200, {"ok": True})

    assert (await connect(slow).client.api.machines_wait("web", "m1")).ok


async def test_an_answer_that_never_comes_is_a_timeout_that_was_sent(connect: Connect) -> None:
    async def never(_seen: Seen) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(errors.FlyTimeout) as caught:
        await connect(never).client.api.machines_create("web", models.CreateMachineRequest())
    assert caught.value.sent


# --- events and secrets


async def test_each_exchange_is_reported_with_time_and_queue(connect: Connect) -> None:
    async def handler(_seen: Seen) -> httpx.Response:
        await anyio.sleep(0.25)
        return answer(200, [])

    session = connect(handler)
    for _ in range(4):
        await session.client.api.machines_list("web")
    finished = session.of(RequestFinished)
    assert [event.seconds for event in finished] == pytest.approx([0.25] * 4)
    assert finished[0].status == 200
    assert finished[0].path == "/v1/apps/web/machines"
    assert finished[0].scope.app == "web"
    assert [event.queued for event in finished][:3] == [0, 0, 0]
    assert finished[3].queued > 0


@pytest.mark.parametrize("given_up", [True, False], ids=["given up", "failed"])
async def test_a_call_that_the_run_gave_up_is_told_apart(connect: Connect, given_up: bool) -> None:
    async def handler(_seen: Seen) -> httpx.Response:
        if given_up:
            await anyio.sleep_forever()
        raise CUT

    session = connect(handler, retry=RetryPolicy(attempts=1))
    with anyio.move_on_after(0.5), suppress(errors.FlyError):
        await session.client.api.machines_list("web")
    (event,) = session.of(RequestFinished)
    assert (event.status, event.given_up) == (None, given_up)


async def test_secrets_show_in_no_error_and_no_event(connect: Connect) -> None:
    def echo(seen: Seen) -> httpx.Response:
        words = f"bad: {seen.headers['authorization']} {seen.body}"
        return answer(422, {"error": words, "details": seen.body}, fly_request_id="R")

    session = connect(echo)
    with pytest.raises(errors.InvalidRequest) as caught:
        await session.client.api.secrets_update(
            "web", models.AppSecretsUpdateRequest(values={"PASSWORD": 'hun"ter2', "B": None})
        )
    error = caught.value
    shown = json.dumps([to_json(event) for event in session.events])
    shown += (
        f"{error!r} {error} {error.hint} {error.answer!r} {error.answer.body} {error.request!r}"
    )
    assert TOKEN not in shown
    assert "ter2" not in shown
    assert "PASSWORD" in shown


# --- real sockets


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_platform_that_is_not_there_was_not_reached(anyio_backend: str) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    await listener.aclose()
    from score_flyio.fly.client import FlyClient

    policy = RetryPolicy(attempts=2, first_delay=0.001)
    client = FlyClient(
        f"http://127.0.0.1:{port}", Tokens.parse("t"), retry=policy, rng=random.Random(0)
    )
    async with client:
        with pytest.raises(errors.FlyConnectionError) as caught:
            await client.api.apps_show("web")
    assert not caught.value.sent
    assert "127.0.0.1" in (caught.value.hint or "")


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_real_http(anyio_backend: str) -> None:
    from score_flyio.fly.client import FlyClient

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            body = b'{"name": "web"}'
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            await stream.send(head.encode() + body)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        async with FlyClient(f"http://127.0.0.1:{port}", Tokens.parse("t")) as client:
            assert (await client.api.apps_show("web")).name == "web"
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.machines.dev", "https://api.machines.dev"),
        ("https://api.machines.dev/v1/", "https://api.machines.dev"),
        ("http://_api.internal:4280/", "http://_api.internal:4280"),
        ("HTTPS://API.machines.dev", "https://api.machines.dev"),
        (" https://api.machines.dev\n", "https://api.machines.dev"),
    ],
)
def test_base_urls(url: str, expected: str) -> None:
    assert api_address(url).url == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example",
        "HTTPS://a.example",
        "Https://a.example",
        "http://127.0.0.1:1",
        "http://_api.internal",
    ],
)
async def test_certificates_count_whatever_the_spelling(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class Network:
        def __init__(self, trust: Any) -> None:
            made.append(trust)

        async def exchange(self, _: Asked) -> Answered:
            return Answered(status=204, headers={}, body=b"")

    monkeypatch.setattr("score_flyio.net.connections.Connections", Network)
    operation = next(each for each in OPERATIONS if each.id == "Apps_list")
    transport = HttpTransport(url, Login(Tokens.parse("t")))
    await transport.exchange(Call(operation=operation, path={}))
    assert [context.verify_mode for context in made] == [ssl.CERT_REQUIRED]
    assert made[0].check_hostname


@pytest.mark.parametrize(
    "url",
    [
        "http://api.machines.dev",
        "HTTP://api.machines.dev",
        "http://10.0.0.1:4280",
        "http://internal",
        "http://127.0.0.1.example.com",
    ],
)
def test_a_token_goes_nowhere_in_plain_text(url: str) -> None:
    with pytest.raises(ConfigError, match="is not encrypted"):
        HttpTransport(url, Login(Tokens.parse("t")))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.machines.dev",
        "ftp://x",
        "https://",
        "https://x:99999",
        "https://a\nb",
        "https://a b",
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        HttpTransport(url, Login(Tokens.parse("t")))


def test_operations_used_by_rules_exist() -> None:
    ids = {operation.id for operation in OPERATIONS}
    assert ids >= NOT_REPEATABLE
    assert operations.MACHINES_WAIT.id == "Machines_wait"
