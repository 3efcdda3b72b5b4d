"""Where the project state is kept: what a store does, what some can do, and one in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from score_flyio.base.clock import rfc3339
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.errors import NotInitialised, StateLocked
from score_flyio.state.deployments_form import dump_document, load_document
from score_flyio.state.model import ProjectState

Warn: TypeAlias = Callable[[str], None]
"""Is told of what went wrong beside a save that is done."""


class StateStore(Protocol):
    """Keeps one project state."""

    async def load(self) -> ProjectState | None:
        """The state as last saved, or None. Raises StateCorrupt and StateTooNew."""
        ...

    async def save(self, state: ProjectState) -> None:
        """Replace what is kept, completely or not at all. Raises StateError."""
        ...

    def lock(self, owner: str) -> AbstractAsyncContextManager[None]:
        """Hold the state alone while inside; `owner` says to others who does what.

        Raises StateLocked when someone else holds it, and may raise NotInitialised where there is
        nothing to lock. A process that dies holds it no more.
        """
        ...


@frozen(kw_only=True)
class SavedVersion(Document):
    """A version of the state that a store still has."""

    written: ClassVar = ("id", "at", "size", "current")
    id: str
    saved: float | None
    """When it was saved, in seconds since the epoch."""
    size: int | None = None
    """Bytes."""
    current: bool = False
    """Whether it is the latest one."""

    @property
    def at(self) -> str | None:
        """When it was saved, in RFC 3339."""
        return None if self.saved is None else rfc3339(self.saved)


@runtime_checkable
class Unlockable(Protocol):
    """A store whose lock can outlive the run that took it."""

    async def unlock(self) -> str | None:
        """Takes the lock away from whoever holds it, and tells who that was; None: nobody.

        Raises StateError.
        """
        ...


@runtime_checkable
class Versioned(Protocol):
    """A store that keeps earlier versions."""

    async def history(self) -> Sequence[SavedVersion]:
        """The versions, newest first. Raises StateError."""
        ...

    async def earlier(self, id: str) -> ProjectState | None:  # noqa: A002  # as SavedVersion has it
        """The state of that version; None: there is none. Raises StateError."""
        ...


def not_initialised() -> NotInitialised:
    """The error for a project without state."""
    return NotInitialised(
        "there is no project state here",
        hint="start a project with: score-flyio init --fly-app-prefix PREFIX",
    )


class InMemoryStore:
    """Keeps the state in this process, as text, so that nothing is shared by accident."""

    def __init__(self, state: ProjectState | None = None) -> None:
        self._saved = None if state is None else dump_document(state)
        self._owner: str | None = None

    async def load(self) -> ProjectState | None:
        """The state as last saved, or None."""
        return None if self._saved is None else load_document(self._saved, "state.yaml")

    async def save(self, state: ProjectState) -> None:
        """Keep the state as it is now."""
        self._saved = dump_document(state)

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        """Hold it alone while inside; StateLocked when another holds it."""
        if self._owner is not None:
            raise StateLocked(f"the state is locked by {self._owner}")
        self._owner = owner
        try:
            yield
        finally:
            self._owner = None
