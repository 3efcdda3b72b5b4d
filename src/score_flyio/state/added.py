"""Stores that installed packages bring: what their code does wrong is a StateError."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, cast

from score_flyio.errors import StateError
from score_flyio.errors.packages import raising
from score_flyio.state.file import FileStore
from score_flyio.state.store import StateStore

_NEEDED: Final = ("load", "save")
_OPTIONAL: Final = ("unlock", "history", "earlier")


def added_store(store: Any, name: str) -> StateStore:
    """A store that can do what the one of a package can; `name` is for messages.

    Raises AttributeError for what is no store.
    """

    def failed(why: str) -> StateError:
        return StateError(f"{name}: {why}")

    if isinstance(store, FileStore):
        return store  # The states of other targets are beside it.
    calls = (*_NEEDED, *(call for call in _OPTIONAL if hasattr(store, call)))
    own = {call: partial(_call, getattr(store, call), failed) for call in calls}
    return cast(StateStore, SimpleNamespace(**own, lock=partial(_lock, store.lock, failed)))


async def _call(
    work: Callable[..., Awaitable[Any]], failed: Callable[[str], StateError], *given: Any
) -> Any:
    with raising(failed):
        return await work(*given)


@asynccontextmanager
async def _lock(
    lock: Callable[[str], AbstractAsyncContextManager[None]],
    failed: Callable[[str], StateError],
    owner: str,
) -> AsyncIterator[None]:
    within: Exception | None = None
    try:
        with raising(failed):
            async with lock(owner):
                try:
                    yield
                except Exception as error:
                    within = error
                    raise
    except Exception:
        if within is not None:  # what happens while it is held is none of the store's
            raise within from within.__cause__
        raise
