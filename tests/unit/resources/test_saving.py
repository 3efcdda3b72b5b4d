"""Saving while a run goes on."""

from __future__ import annotations

import anyio
import pytest
from trio.testing import MockClock

from score_flyio.errors import StateError
from score_flyio.resources.saving import Saver
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


class Silent(InMemoryStore):
    """Never answers."""

    async def save(self, state: ProjectState) -> None:
        await anyio.sleep_forever()


class Counting(InMemoryStore):
    """Counts what it is asked to write."""

    writes = 0

    async def save(self, state: ProjectState) -> None:
        await anyio.sleep(1)
        self.writes += 1
        await super().save(state)


async def test_a_store_that_never_answers_is_an_error() -> None:
    with pytest.raises(StateError, match="could not be saved within 60 s"):
        await Saver(Silent(), ProjectState.new("p-")).save()


async def test_saves_that_wait_for_one_write_share_the_next() -> None:
    store = Counting()
    saver = Saver(store, ProjectState.new("p-"))
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(saver.save)
    assert store.writes <= 2
    assert await store.load() is not None
