"""Work that begins before an event loop runs.

Importing and starting an event loop takes a third of the time of a short command, such as
`generate` of a workload without resources, which waits for nothing. So a command may begin without
one, and goes on in one from the moment on that it asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from types import coroutine
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
P = TypeVar("P")

_MISSING: Final[ContextVar[bool]] = ContextVar("an event loop is missing", default=False)


class Begun(Generic[T]):
    """What has asked for an event loop: it goes on when it is awaited in one."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()


def begin(work: Coroutine[Any, Any, T]) -> T | Begun[T]:
    """Do the work as far as it needs no event loop: its result, or what is left of it."""
    token = _MISSING.set(True)
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        _MISSING.reset(token)
    return Begun(work)


def is_missing() -> bool:
    """Whether no event loop runs yet, so that nothing else goes on meanwhile."""
    return _MISSING.get()


@coroutine
def event_loop() -> Generator[None, None, None]:
    """Go on in an event loop; at once where one runs. Comes before the first use of anyio."""
    if _MISSING.get():
        yield


async def in_thread(function: Callable[[P], T], argument: P) -> T:
    """Wait for a function that blocks without keeping others waiting, if there can be others."""
    if _MISSING.get():
        return function(argument)
    from anyio import to_thread

    return await to_thread.run_sync(function, argument)
