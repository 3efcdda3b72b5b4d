"""Provisioners that are HTTP services."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable

import httpx
import pytest

from score_flyio.errors import ProvisionFailed
from score_flyio.resources.kinds.http import HttpProvisioner
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.state.resources import HttpSpec
from tests.unit.resources.conftest import uid

UID = uid("thing.default#shop.db")
REQUEST = ProvisionRequest(uid=UID, guid="g", state={"id": 7})
URL = "http://prov.example.com/p?x=1"


def service(answer: Callable[[httpx.Request], httpx.Response], url: str = URL) -> HttpProvisioner:
    return HttpProvisioner(id="p", spec=HttpSpec(url=url), transport=httpx.MockTransport(answer))


async def test_post_provisions() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"values": {"a": 1}, "secrets": {"s": "x"}})

    result = await service(answer).provision(REQUEST)
    assert (result.values, result.secrets) == ({"a": 1}, {"s": "x"})
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert json.loads(request.content)["state"] == {"id": 7}


async def test_delete_deprovisions_and_may_answer_nothing() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    assert await service(answer).deprovision(REQUEST) == ProvisionResult()
    assert seen[0].method == "DELETE"
    assert "accept" not in seen[0].headers


async def test_user_and_password_of_the_url_authenticate_and_are_never_shown() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Basic bWU6cGFzcw=="
        return httpx.Response(500)

    with pytest.raises(ProvisionFailed) as caught:
        await service(answer, "http://me:pass@prov.example.com/p").provision(REQUEST)
    assert "POST http://prov.example.com/p answered 500" in str(caught.value)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        (httpx.Response(500), "provisioner_call_failed", "500 Internal Server Error"),
        (
            httpx.Response(404, text="no such\n"),
            "provisioner_output_invalid",
            "404 Not Found: no such",
        ),
        (httpx.Response(200), "provisioner_no_output", "gave no answer"),
        (httpx.Response(200, text="hello"), "provisioner_output_invalid", "not JSON"),
        (
            httpx.Response(307, headers={"location": "http://u:pw@other.example.com/"}),
            "provisioner_call_failed",
            "a redirect to http://other.example.com/, not followed",
        ),
    ],
)
async def test_failures_show_status_and_body(
    response: httpx.Response, code: str, words: str
) -> None:
    with pytest.raises(ProvisionFailed) as caught:
        await service(lambda _: response).provision(REQUEST)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert str(UID) in str(caught.value)


@pytest.mark.parametrize("type_", ["application/json", "text/plain", ""])
@pytest.mark.parametrize(
    "body",
    [
        '{"secrets":{"pw":"hunter2"}}',
        ' {"secrets":{"pw":"hunter2"',
        '\ufeff{"secrets":{"pw":"hunter2"}}',
        'data: {"secrets":{"pw":"hunter2"}}',
        *(" " * gap + "hunter2" + "x" * 300 for gap in (0, 1)),
        *("word " * 58 + "\n" * gap + "hunter2-hunter2-hunter2" for gap in range(8)),
    ],
)
async def test_failures_show_no_answer(type_: str, body: str) -> None:
    response = httpx.Response(500, content=body.encode(), headers={"content-type": type_})
    with pytest.raises(ProvisionFailed) as caught:
        await service(lambda _: response).provision(REQUEST)
    assert "500" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("gap", range(8))
async def test_a_reason_has_no_part_of_a_word(gap: int) -> None:
    """Which could be a secret that is masked as a whole."""
    reason = "word " * 78 + " " * gap + "hunter2-hunter2-hunter2"
    with pytest.raises(ProvisionFailed, match="word …") as caught:
        await service(lambda _: httpx.Response(500, json={"error": reason})).provision(REQUEST)
    assert "hunter2" not in str(caught.value)


async def test_an_error_status_with_an_answer_keeps_it() -> None:
    with pytest.raises(ProvisionIncomplete, match="503") as caught:
        await service(lambda _: httpx.Response(503, json={"state": {"half": 1}})).provision(REQUEST)
    assert caught.value.code == "provisioner_failed"
    assert caught.value.result.state == {"half": 1}


async def test_no_connection_is_told_with_the_address() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("to http://u:hunter2@host") from ConnectionRefusedError(
            errno.ECONNREFUSED, "hunter2"
        )

    with pytest.raises(ProvisionFailed, match=r"prov\.example\.com.*connection refused") as caught:
        await service(answer).provision(REQUEST)
    assert caught.value.code == "provisioner_call_failed"
    assert "hunter2" not in str(caught.value)


async def test_a_connection_that_ends_in_mid_answer_is_told_in_plain_words() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("peer closed connection", request=request)

    with pytest.raises(ProvisionFailed, match="no answer: it ended in the middle") as caught:
        await service(answer).provision(REQUEST)
    assert "run the same command again" in (caught.value.hint or "")


async def test_an_endless_answer_is_refused() -> None:
    response = httpx.Response(200, content=b"x" * (16 * 1024 * 1024 + 1))
    with pytest.raises(ProvisionFailed, match="longer than"):
        await service(lambda _: response).provision(REQUEST)
