"""What some stores can do beside keeping a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen

from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class SavedVersion:
    """One version of the state that a store still has."""

    id: str
    at: float | None
    """When it was saved, in seconds since the epoch."""
    size: int | None = None
    """Bytes."""
    current: bool = False


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
