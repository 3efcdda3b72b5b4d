"""Saving the state many times at once with few writes."""

from __future__ import annotations

import anyio

from score_flyio.errors import StateError
from score_flyio.state.model import ProjectState
from score_flyio.state.store import StateStore

PATIENCE = 60.0
"""Seconds that a save may go on after the run was cancelled."""


class Saver:
    """Saves one state; calls that wait for the same write share it.

    A save that has begun ends even when the run is cancelled: what exists must not be forgotten.
    """

    def __init__(self, store: StateStore, state: ProjectState) -> None:
        self._store = store
        self._state = state
        self._lock = anyio.Lock()
        self._asked = 0
        self._saved = 0

    async def save(self) -> None:
        """Return when the state as it is now is saved. Raises StateError."""
        self._asked += 1
        mine = self._asked
        with anyio.move_on_after(PATIENCE, shield=True) as scope:
            async with self._lock:
                if self._saved < mine:
                    asked = self._asked
                    await self._store.save(self._state)
                    self._saved = asked
        if scope.cancelled_caught:
            raise StateError(
                f"the state could not be saved within {PATIENCE:g} s",
                hint="see whether the place where it is kept answers, and run the command again",
            )
