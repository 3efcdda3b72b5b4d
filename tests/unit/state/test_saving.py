"""Saving while a run goes on."""

from __future__ import annotations

import anyio
import pytest
from trio.testing import MockClock

from score_flyio.errors import StateError
from score_flyio.state.model import ProjectState
from score_flyio.state.saving import Saver
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


async def test_a_save_that_has_begun_ends_though_the_run_is_cancelled() -> None:
    store = Counting()
    saver = Saver(store, ProjectState.new("p-"))
    with anyio.move_on_after(0.5) as run:
        await saver.save()
    assert run.cancel_called
    assert store.writes == 1
    assert await store.load() is not None


async def test_a_save_that_waits_for_another_ends_though_the_run_is_cancelled() -> None:
    store = Counting()
    state = ProjectState.new("p-")
    saver = Saver(store, state)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(saver.save)
        await anyio.sleep(0.5)
        state.shared["made"] = "database"
        tasks.start_soon(saver.save)
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()
    assert store.writes == 2
    saved = await store.load()
    assert saved is not None
    assert saved.shared["made"] == "database"
