"""Answers of the API become exceptions with the server's words, its code and the request id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from score_flyio import errors
from score_flyio.base.secret import Secret
from score_flyio.errors import FlyConnectionError, FlyProtocolError, FlyTimeout, Request
from score_flyio.fly.errors import LONGEST_TEXT, api_error, is_doubtful

REQUEST = Request(method="POST", path="/v1/apps/web/machines", operation="Machines_create")


def made(status: int, body: Any, **headers: str) -> errors.FlyApiError:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return api_error(REQUEST, status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "bad"}, errors.InvalidRequest),
        (422, {"error": "bad"}, errors.InvalidRequest),
        (418, {}, errors.InvalidRequest),
        (401, {"error": "who"}, errors.NotAuthorized),
        (403, {"error": "over the allowed quota"}, errors.NotAuthorized),
        (404, "", errors.NotFound),
        (408, {"error": "timeout"}, errors.RequestTimedOut),
        (409, {"error": "lease currently held by a@b.c"}, errors.Conflict),
        (412, {"error": "version"}, errors.PreconditionFailed),
        (429, {}, errors.RateLimited),
        (500, "oops", errors.FlyServerError),
        (599, "", errors.FlyServerError),
        (422, {"error": "x", "status": "insufficient_capacity"}, errors.InsufficientCapacity),
        (503, {"error": "x", "status": "insufficient_capacity"}, errors.InsufficientCapacity),
        (412, {"error": "x", "status": "volume_placement"}, errors.InsufficientCapacity),
        (422, {"error": "x", "status": "name_taken"}, errors.NameTaken),
        (422, {"error": "Validation failed: Name has already been taken"}, errors.NameTaken),
        (400, {"error": "no capacity"}, errors.InsufficientCapacity),
        (409, {"error": "could not reserve resource for machine: insufficient memory"}, errors.InsufficientCapacity),
        (412, {"error": "insufficient resources to create new machine with existing volume"}, errors.InsufficientCapacity),
        (400, {"error": "Deploys to this host are temporarily disabled"}, errors.InsufficientCapacity),
        (503, {"error": "unavailable: deploys to this host are temporarily disabled, please try again later"}, errors.InsufficientCapacity),
        (409, {"error": "governor policy blocked start"}, errors.InsufficientCapacity),
        (500, {"error": "insufficient CPUs available to fulfill request"}, errors.FlyServerError),
        (412, {"error": "aborted: insufficient CPUs available to fulfill request"}, errors.InsufficientCapacity),
        (409, "aborted: insufficient CPUs available to fulfill request on the current host", errors.InsufficientCapacity),
        (412, {"error": "insufficient IPs available"}, errors.InsufficientCapacity),
        (409, "insufficient memory", errors.InsufficientCapacity),
        (412, {"error": "could not find a candidate host"}, errors.InsufficientCapacity),
        (409, {"error": "could not reserve resource for your machine"}, errors.InsufficientCapacity),
        (422, {"error": "x", "status": "volume_placement_capacity"}, errors.InsufficientCapacity),
        (404, {"error": "no capacity named so"}, errors.NotFound),
        (422, {"error": "x", "status": "a_code_of_tomorrow"}, errors.InvalidRequest),
    ],
)  # fmt: skip
def test_kinds(status: int, body: Any, kind: type[errors.FlyApiError]) -> None:
    error = made(status, body)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "first", "error": "second"}, "first"),
        ({"message": "", "error": "second"}, "second"),
        ("<html>gateway</html>", "<html>gateway</html>"),
        ("[" * 100_000, "[" * LONGEST_TEXT),
        ([1, 2], "[1, 2]"),
        ("", ""),
        ("\xff not utf-8", "\xff not utf-8"),
    ],
)
def test_the_servers_own_words_are_kept(body: Any, message: str) -> None:
    assert made(500, body).answer.message == message


def test_the_message_names_call_code_and_request_id() -> None:
    error = made(422, {"error": "bad region", "status": "unknown"}, fly_request_id="R-1")
    assert str(error) == "POST /v1/apps/web/machines: 422 bad region [unknown] (request id R-1)"


def test_hints() -> None:
    assert "FLY_API_TOKEN" in (made(401, "").hint or "")
    assert "organization" in (made(403, "").hint or "")
    assert "quota" in (made(403, {"error": "memory is over the allowed quota"}).hint or "")


@pytest.mark.parametrize(
    ("error", "doubtful"),
    [
        (FlyConnectionError("x", request=REQUEST, sent=True), True),
        (FlyConnectionError("x", request=REQUEST, sent=False), False),
        (FlyTimeout("x", request=REQUEST, sent=True), True),
        (FlyProtocolError("x", request=REQUEST), True),
        (made(408, ""), True),
        (made(500, ""), True),
        (made(503, ""), True),
        (made(429, ""), False),
        (made(409, ""), False),
        (made(503, {"status": "insufficient_capacity"}), False),
    ],
)
def test_which_outcomes_are_doubtful(error: Exception, doubtful: bool) -> None:
    assert is_doubtful(error) is doubtful


@pytest.mark.parametrize("word", ["error", "insufficient", "status", "capacity"])
def test_a_secret_that_is_a_word_of_the_answer_does_not_change_its_kind(word: str) -> None:
    body = b'{"error": "insufficient capacity, said the error status", "status": "error"}'
    error = api_error(REQUEST, 422, {}, body, [Secret(word)])
    assert isinstance(error, errors.InsufficientCapacity)
    assert word not in error.answer.message
    assert error.answer.body["error"] == error.answer.message


def test_a_secret_at_the_end_of_a_long_text_does_not_show_in_part() -> None:
    secret = "swordfish" * 3
    body = (" " * (LONGEST_TEXT - 10) + secret).encode()
    error = api_error(REQUEST, 400, {}, b"x" + body, [Secret(secret)])
    assert "sword" not in f"{error} {error.answer}"


def test_a_redirection_is_not_the_api() -> None:
    """A login page of a proxy, for one."""
    assert "place of the API" in (made(302, "").hint or "")
