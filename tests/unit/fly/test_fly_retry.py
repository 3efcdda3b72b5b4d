"""Which failed calls are sent again, and after how long."""

from __future__ import annotations

import random

import pytest

from fly_machines import OPERATIONS, Operation, operations
from score_flyio import errors
from score_flyio.errors import ApiAnswer, FlyConnectionError, RateLimited, Request
from score_flyio.fly.retry import (
    NONCE_HEADER,
    REPEATABLE,
    RetryPolicy,
    is_repeatable,
    may_pass,
    reason,
)

REQUEST = Request(method="POST", path="/v1/apps")
SHOW, WAIT, CREATE = (
    operations.MACHINES_SHOW,
    operations.MACHINES_WAIT,
    operations.MACHINES_CREATE,
)


class Loaded(random.Random):
    """Throws the same each time."""

    def __init__(self, thrown: float) -> None:
        super().__init__()
        self.thrown = thrown

    def random(self) -> float:
        return self.thrown


def refusal(status: int, *, retry_after: float | None = None) -> errors.FlyApiError:
    kinds = {408: errors.RequestTimedOut, 429: RateLimited, 404: errors.NotFound}
    kind = kinds.get(status, errors.FlyServerError)
    return kind(REQUEST, ApiAnswer(status=status, message="no", retry_after=retry_after))


def no_answer(*, sent: bool) -> FlyConnectionError:
    return FlyConnectionError("lost", request=REQUEST, sent=sent)


@pytest.mark.parametrize(
    ("failures", "shortest", "longest"),
    [(1, 0.1, 0.2), (2, 0.2, 0.4), (3, 0.4, 0.8), (5, 1.6, 3.2), (6, 2.5, 5.0), (50, 2.5, 5.0)],
)
def test_pauses_double_up_to_the_longest_and_are_half_random(
    failures: int, shortest: float, longest: float
) -> None:
    policy = RetryPolicy()
    assert policy.delay(failures, Loaded(0.0)) == pytest.approx(shortest)
    assert policy.delay(failures, Loaded(1.0)) == pytest.approx(longest)


@pytest.mark.parametrize(
    ("refusals", "shortest", "longest"),
    [(1, 1.0, 1.25), (2, 2.0, 2.5), (4, 8.0, 10.0), (5, 15.0, 18.75), (20, 15.0, 18.75)],
)
def test_pauses_for_the_rate_limit_double_up_to_the_longest(
    refusals: int, shortest: float, longest: float
) -> None:
    policy, error = RetryPolicy(), refusal(429)
    assert isinstance(error, RateLimited)
    assert policy.rate_limited_delay(error, refusals, Loaded(0.0)) == pytest.approx(shortest)
    assert policy.rate_limited_delay(error, refusals, Loaded(1.0)) == pytest.approx(longest)


@pytest.mark.parametrize("asked", [0.0, 0.5, 60.0])
def test_the_platform_says_when_to_come_back(asked: float) -> None:
    error = refusal(429, retry_after=asked)
    assert isinstance(error, RateLimited)
    assert RetryPolicy().rate_limited_delay(error, 9, Loaded(1.0)) == asked


@pytest.mark.parametrize(
    ("error", "again", "only_if_repeatable"),
    [
        (no_answer(sent=True), True, True),
        (no_answer(sent=False), True, False),
        (refusal(408), True, True),
        (refusal(500), True, True),
        (refusal(503), True, True),
        (refusal(501), False, False),
        (refusal(505), False, False),
        (refusal(404), False, False),
        (refusal(429), False, False),
        (ValueError("other"), False, False),
    ],
)
def test_what_is_sent_again(error: Exception, again: bool, only_if_repeatable: bool) -> None:
    assert may_pass(SHOW, error, repeatable=True) is again
    assert may_pass(CREATE, error, repeatable=False) is (again and not only_if_repeatable)


def test_a_wait_that_was_answered_not_yet_is_not_sent_again() -> None:
    assert not may_pass(WAIT, refusal(408), repeatable=True)
    assert may_pass(WAIT, refusal(503), repeatable=True)


def test_a_lease_is_renewed_again_but_not_taken_again() -> None:
    lease = operations.MACHINES_CREATE_LEASE
    assert is_repeatable(lease, {NONCE_HEADER: "n"})
    assert not is_repeatable(lease, {NONCE_HEADER: None})
    assert not is_repeatable(lease, {})
    assert not is_repeatable(CREATE, {NONCE_HEADER: "n"})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_what_changes_the_same_when_carried_out_twice(operation: Operation) -> None:
    repeatable = operation.method != "POST" or operation.id in REPEATABLE
    assert is_repeatable(operation, {}) is repeatable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal(408), "status 408"),
        (refusal(503), "status 503"),
        (no_answer(sent=True), "no answer"),
        (no_answer(sent=False), "not reachable"),
        (errors.FlyProtocolError("s3cret", request=REQUEST), "an unreadable answer"),
        (ValueError("s3cret"), "ValueError"),
    ],
)
def test_the_reason_is_told_without_values(error: Exception, words: str) -> None:
    assert reason(error) == words
