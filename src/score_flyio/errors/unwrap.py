"""Failures of task groups as single errors: no ExceptionGroup leaves the library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import anyio

from score_flyio.base.printable import one_line
from score_flyio.errors import DeployError, ScoreFlyError

Item = TypeVar("Item")
Result = TypeVar("Result")


async def at_once(do: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """What each item comes to, in their order, while all are worked on; raises as `unwrapped`."""
    results: dict[int, Result] = {}

    async def one(place: int, item: Item) -> None:
        results[place] = await do(item)

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            for place, item in enumerate(items):
                tasks.start_soon(one, place, item)
    return [results[place] for place in sorted(results)]


@asynccontextmanager
async def beside(
    work: Callable[..., Coroutine[Any, Any, object]], *args: Any
) -> AsyncIterator[None]:
    """`work` goes on while the block runs, and ends with it; the block raises what it raises."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, *args)
        try:
            yield
        except Exception as error:  # noqa: BLE001  # raised again outside the task group
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


def in_words(error: BaseException) -> str:
    """What code of others raised, as a part of a message."""
    found = (
        leaf.message if isinstance(leaf, ScoreFlyError) else f"{type(leaf).__name__}: {leaf}"
        for leaf in leaves(error)
    )
    text = "; ".join(each.removesuffix(": ") for each in found)
    return one_line(" ".join(text.split()))


def leaves(error: BaseException) -> list[BaseException]:
    """The errors inside nested groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raises what is inside an ExceptionGroup: a bug before an error, several errors as one."""
    try:
        yield
    except BaseExceptionGroup as group:
        found = leaves(group)
        for error in found:
            if not isinstance(error, ScoreFlyError):
                raise error from group
        errors = [error for error in found if isinstance(error, ScoreFlyError)]
        if len(errors) == 1:
            raise errors[0] from group
        message = "\n".join(error.message for error in errors)
        raise DeployError(message, failures=errors) from group
