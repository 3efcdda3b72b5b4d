"""A call whose answer must not get lost: it tells what nobody could find out later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

from score_flyio.errors import FlyError

T = TypeVar("T")


async def answered(call: Callable[[], Awaitable[T]], *, within: float = 10.0) -> T:
    """The answer of a call; cancelled meanwhile, the call has so many seconds left to end.

    It has to keep what it brings by itself, since the cancellation goes on when it has ended.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    answers: list[T] = []
    failures: list[FlyError] = []
    ended = anyio.Event()
    scope = anyio.CancelScope(shield=True)

    async def carry_out() -> None:
        with scope:
            try:
                answers.append(await call())
            except FlyError as error:
                failures.append(error)
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry_out)
        try:
            await ended.wait()
        except anyio.get_cancelled_exc_class():
            scope.deadline = anyio.current_time() + within
            raise
    if failures:
        raise failures[0]
    return answers[0]
