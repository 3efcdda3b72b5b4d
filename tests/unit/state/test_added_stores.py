"""Stores that installed packages bring; docs/extending.md has one that works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import anyio
import pytest

from score_flyio import ProjectState, StateStore
from score_flyio.errors import ConfigError, DeployError, StateError, StateLocked
from score_flyio.errors.unwrap import leaves
from score_flyio.state.file import FileStore
from score_flyio.state.locate import ENTRY_POINTS, open_store
from score_flyio.state.store import InMemoryStore, Unlockable, Versioned

NO_STORE = "AttributeError: 'NoneType' object has no attribute 'load'"
NO_DRIVER = "ModuleNotFoundError: no driver for table://a"


def without_driver(url: str) -> StateStore:
    raise ModuleNotFoundError(f"no driver for {url}")


def held(url: str) -> StateStore:
    raise StateLocked(f"{url} is held")


def of_none(_url: str) -> None:
    """Forgets to give one."""


class Broken(InMemoryStore):
    """What goes wrong is the URL."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.wrong = url.partition("://")[2]

    def fails(self, at: str) -> None:
        if at == self.wrong:
            raise ConnectionError(f"no way to {at}")

    async def load(self) -> ProjectState | None:
        self.fails("load")
        return await super().load()

    async def save(self, state: ProjectState) -> None:
        self.fails("save")
        await super().save(state)

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        self.fails("lock")
        async with super().lock(owner), anyio.create_task_group():
            yield
        self.fails("let go")

    async def unlock(self) -> str | None:
        self.fails("unlock")
        return None


def offer(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("table", f"{__name__}:{function}", ENTRY_POINTS)])
    monkeypatch.setattr("importlib.metadata.entry_points", points.select)


@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        (
            "without_driver",
            ConfigError,
            f"state store 'table' ({__name__}:without_driver) cannot be loaded: {NO_DRIVER}",
        ),
        (
            "of_none",
            ConfigError,
            f"state store 'table' ({__name__}:of_none) cannot be loaded: {NO_STORE}",
        ),
        ("held", StateLocked, "table://a is held"),
    ],
)
def test_a_store_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, kind: type[Exception], says: str
) -> None:
    offer(function, monkeypatch)
    with pytest.raises(kind) as raised:
        open_store("table://a", tmp_path)
    assert str(raised.value) == says


def a_folder(url: str) -> StateStore:
    return FileStore(Path(url.partition("://")[2]))


def test_a_folder_that_a_package_finds_is_known_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer("a_folder", monkeypatch)
    store = open_store(f"table://{tmp_path}", tmp_path)
    assert isinstance(store, FileStore)
    assert store.folder == tmp_path


async def use(store: StateStore) -> None:
    """All that a run does with a store."""
    assert isinstance(store, Unlockable)
    assert not isinstance(store, Versioned)
    assert await store.unlock() is None
    async with store.lock("deploy"):
        await store.save(ProjectState.new("x-"))
        with pytest.raises(StateLocked, match="locked by deploy"):
            async with store.lock("another"):
                pass
    found = await store.load()
    assert found is not None
    assert found.app_prefix == "x-"


@pytest.mark.parametrize("wrong", ["load", "save", "lock", "let go", "unlock"])
async def test_what_a_store_raises_is_told_as_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    offer("Broken", monkeypatch)
    await use(open_store("table://nothing", tmp_path))
    with pytest.raises(StateError) as raised:
        await use(open_store(f"table://{wrong}", tmp_path))
    where = f"state store 'table' ({__name__}:Broken)"
    assert str(raised.value) == f"{where}: ConnectionError: no way to {wrong}"
    assert isinstance(raised.value.__cause__, ConnectionError)


@pytest.mark.parametrize("error", [KeyError("a bug"), DeployError("no"), KeyboardInterrupt()])
async def test_what_a_run_raises_goes_through_the_lock_of_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    offer("Broken", monkeypatch)
    store = open_store("table://let go", tmp_path)
    with pytest.raises(BaseException) as raised:  # noqa: PT011  # itself, whatever it is
        async with store.lock("deploy"):
            raise error
    assert raised.value is error or leaves(raised.value) == [error]


async def test_a_run_can_be_cancelled_within_the_lock_of_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer("Broken", monkeypatch)
    store = open_store("table://nothing", tmp_path)
    with anyio.CancelScope() as scope:
        async with store.lock("deploy"):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    await use(store)
