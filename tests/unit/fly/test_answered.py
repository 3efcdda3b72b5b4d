"""The answer of a call outlasts a cancellation, for a while."""

from __future__ import annotations

import anyio
import pytest

from score_flyio.errors import FlyError
from score_flyio.fly.answered import answered


class Failed(FlyError):
    """An answer that is an error."""


async def test_the_answer_is_given() -> None:
    async def call() -> str:
        await anyio.sleep(1)
        return "answer"

    assert await answered(call, within=1.0) == "answer"


async def test_an_error_is_raised_as_it_is() -> None:
    async def call() -> str:
        raise Failed("refused")

    with pytest.raises(Failed, match="refused"):
        await answered(call, within=1.0)


@pytest.mark.parametrize(("takes", "kept"), [(3.0, ["answer"]), (60.0, [])])
async def test_a_cancelled_call_has_some_seconds_left(takes: float, kept: list[str]) -> None:
    told: list[str] = []

    async def call() -> None:
        await anyio.sleep(takes)
        told.append("answer")

    start = anyio.current_time()
    with anyio.move_on_after(1.0) as scope:
        await answered(call, within=5.0)
    assert scope.cancelled_caught
    assert told == kept
    assert anyio.current_time() - start == pytest.approx(min(takes, 6.0))


async def test_nothing_is_sent_by_a_run_that_is_cancelled_already() -> None:
    sent: list[str] = []

    async def call() -> None:
        sent.append("call")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await answered(call, within=5.0)
    assert sent == []
