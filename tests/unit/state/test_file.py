"""The state in files: what is kept where, for whom, and who may change it."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from score_flyio.base.atomic import write_atomically
from score_flyio.base.clock import Clock
from score_flyio.errors import NotInitialised, StateCorrupt, StateError, StateLocked, StateTooNew
from score_flyio.score.resources import ResourceUid
from score_flyio.state import aside as aside_module
from score_flyio.state import file as file_module
from score_flyio.state.deployments import DeploymentRecord, Release, SecretRecord
from score_flyio.state.deployments_form import dump_document, load_document
from score_flyio.state.file import FileStore
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ResourceRecord
from score_flyio.state.saving import Saver
from score_flyio.state.store import InMemoryStore, StateStore
from score_flyio.state.yaml_form import load_state


class Fixed(Clock):
    def time(self) -> float:
        return 0.0


def full_state() -> ProjectState:
    state = ProjectState.new("pfx-")
    uid = ResourceUid.parse("thing.default#shop.db")
    state.resources[uid] = ResourceRecord(uid=uid, guid="g", params={}, metadata={})
    state.uses_shared = {"p": True}
    state.needs = {uid: frozenset({ResourceUid.parse("thing.default#shop.base")})}
    state.deployments["pfx-shop"] = DeploymentRecord(
        workload="shop",
        secrets={"A": SecretRecord(digest="d", fingerprint="f")},
        releases=(Release(version=1, at=1.5, image="x", configs={"app": {"n": 1}}),),
    )
    return state


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    if request.param == "memory":
        return InMemoryStore()
    return FileStore(tmp_path / "project" / ".score-flyio", clock=Fixed())


def test_one_store_serves_event_loops_of_each_kind(store: StateStore) -> None:
    async def change(prefix: str) -> None:
        async with store.lock("deploy"):
            await store.save(ProjectState.new(prefix))

    if isinstance(store, FileStore):
        store.folder.mkdir(parents=True)
    for prefix, backend in (("a-", "asyncio"), ("b-", "trio"), ("c-", "asyncio")):
        anyio.run(change, prefix, backend=backend)
        saved = anyio.run(store.load, backend=backend)
        assert saved is not None
        assert saved.app_prefix == prefix


async def test_what_is_saved_is_loaded(store: StateStore) -> None:
    assert await store.load() is None
    state = full_state()
    await store.save(state)
    assert await store.load() == state
    state.app_prefix = "other"
    assert (await store.load() or state).app_prefix == "pfx-"


async def test_one_holds_the_lock_at_a_time(store: StateStore) -> None:
    await store.save(full_state())
    async with store.lock("generate"):
        with pytest.raises(StateLocked, match="generate") as caught:
            async with store.lock("deploy"):
                pytest.fail("both hold the lock")
        assert caught.value.exit_code == 4
    async with store.lock("deploy"):
        pass


async def test_the_lock_ends_with_an_error(store: StateStore) -> None:
    await store.save(full_state())
    with pytest.raises(KeyError):
        async with store.lock("generate"):
            raise KeyError
    async with store.lock("deploy"):
        pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def modes(folder: Path) -> dict[str, int]:
    return {p.name: stat.S_IMODE(p.stat().st_mode) for p in [folder, *folder.iterdir()]}


async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / ".score-flyio"
    folder.mkdir(mode=0o755)
    (folder / "state.yaml").write_text("{}")
    await FileStore(folder).save(full_state())
    assert modes(folder) == {".score-flyio": 0o700, "state.yaml": 0o600, "deployments.yaml": 0o600}


async def test_the_mode_of_a_folder_of_others_stays(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    store = FileStore(folder)
    await store.save(full_state())
    async with store.lock("deploy"):
        pass
    assert modes(folder) == {"mine": 0o755, "state.yaml": 0o600, "deployments.yaml": 0o600}


@pytest.mark.parametrize("name", ["state.yaml", "deployments.yaml"])
async def test_a_link_in_place_of_the_state_is_not_followed(tmp_path: Path, name: str) -> None:
    store = FileStore(tmp_path / ".score-flyio")
    await store.save(full_state())
    elsewhere = tmp_path / "elsewhere"
    (store.folder / name).rename(elsewhere)
    (store.folder / name).symlink_to(elsewhere)
    with pytest.raises(StateError, match=f"{name} cannot be read: it is a symbolic link") as caught:
        await store.load()
    assert caught.value.hint == "link the whole folder, or name the real one with --state"


async def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    store = FileStore(tmp_path / ".score-flyio")
    await store.save(full_state())
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (store.folder / "lock").symlink_to(precious)
    async with store.lock("deploy"):
        assert (store.holder() or "").startswith("deploy")
    assert precious.read_text() == "kept"


async def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    await FileStore(tmp_path / "folder").save(full_state())
    before = {p.name: p.stat().st_ino for p in (tmp_path / "folder").iterdir()}
    store = FileStore(tmp_path / "folder")
    state = await store.load()
    assert state is not None
    await store.save(state)
    assert {p.name: p.stat().st_ino for p in (tmp_path / "folder").iterdir()} == before


@pytest.mark.parametrize("open_to_all", [".", "state.yaml", "deployments.yaml"])
async def test_an_equal_state_that_others_can_read_is_made_private(
    tmp_path: Path, open_to_all: str
) -> None:
    folder = tmp_path / ".score-flyio"
    await FileStore(folder).save(full_state())
    (folder / open_to_all).chmod(0o755)
    store = FileStore(folder)
    state = await store.load()
    assert state is not None
    await store.save(state)
    assert modes(folder) == {".score-flyio": 0o700, "state.yaml": 0o600, "deployments.yaml": 0o600}


async def test_a_state_changed_by_another_tool_is_written_over(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.save(ProjectState.new("pfx-"))
    state = await store.load()
    assert state is not None
    state.app_prefix = "changed-"
    await store.save(state)
    state.app_prefix = "pfx-"
    await store.save(state)
    assert (await FileStore(tmp_path).load() or ProjectState()).app_prefix == "pfx-"


async def test_the_go_tool_sees_only_what_it_knows(tmp_path: Path) -> None:
    await FileStore(tmp_path).save(full_state())
    text = (tmp_path / "state.yaml").read_text()
    assert [line.split(":")[0] for line in text.splitlines() if line[0] not in " -"] == [
        "workloads",
        "resources",
        "shared_state",
        "app_prefix",
        "provisioners",
    ]
    assert load_state(text, "state.yaml").deployments == {}


async def test_nothing_to_remember_makes_no_second_file(tmp_path: Path) -> None:
    await FileStore(tmp_path).save(ProjectState.new("pfx-"))
    assert names(tmp_path) == ["state.yaml"]


async def test_a_crash_while_writing_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path)
    await store.save(ProjectState.new("old-"))

    def crash(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(StateError, match="no space left"):
        await store.save(ProjectState.new("new-"))
    monkeypatch.undo()
    assert names(tmp_path) == ["state.yaml"]
    assert (await FileStore(tmp_path).load() or ProjectState()).app_prefix == "old-"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders in which nothing new can be written, except what replaces something larger."""
    full: list[Path] = []
    room: dict[Path, int] = {}

    def write_if_there_is_room(path: Path, data: bytes, **options: Any) -> None:
        if path.parent in full:
            used = sum(file.stat().st_size for file in path.parent.iterdir())
            if used + len(data) > room.setdefault(path.parent, used):
                raise OSError(errno.ENOSPC, "no space left on device")
        write_atomically(path, data, **options)

    for module in (file_module, aside_module):
        monkeypatch.setattr(module, "write_atomically", write_if_there_is_room)
    return full


async def test_a_full_disk_is_found_out_before_anything_is_made(
    tmp_path: Path, disk: list[Path]
) -> None:
    disk.append(tmp_path)
    with pytest.raises(StateError, match="cannot be locked: no space left"):
        async with FileStore(tmp_path).lock("deploy"):
            pytest.fail("nothing could be saved")


async def test_a_run_has_room_on_a_disk_that_is_full_by_then(
    tmp_path: Path, disk: list[Path]
) -> None:
    store, state = FileStore(tmp_path), full_state()
    async with store.lock("deploy"):
        disk.append(tmp_path)
        await store.save(state)
        assert await FileStore(tmp_path).load() == state
    assert "reserve" not in names(tmp_path)


async def test_what_cannot_be_saved_is_kept_elsewhere_until_it_can(
    tmp_path: Path, disk: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "full", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    disk.append(folder)
    store, state = FileStore(folder), full_state()
    with pytest.raises(StateError, match="no space left") as raised:
        await store.save(state)
    (kept,) = elsewhere.iterdir()
    assert str(kept) in str(raised.value.hint)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert load_document(kept.read_text(), "kept") == state
    disk.clear()
    await store.save(state)
    assert not kept.exists()


async def test_saves_at_the_same_time_end_with_the_latest(tmp_path: Path) -> None:
    state = ProjectState.new("pfx-")
    saver = Saver(FileStore(tmp_path), state)

    async def add(number: int) -> None:
        state.shared[f"k{number}"] = number
        await saver.save()

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(add, number)
    assert await FileStore(tmp_path).load() is not None
    assert (await FileStore(tmp_path).load() or ProjectState()).shared == state.shared


async def test_a_folder_without_project_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised):
        async with FileStore(tmp_path / "none").lock("generate"):
            pytest.fail("locked")
    assert names(tmp_path) == []


HOLD = """
import sys, anyio
from pathlib import Path
from score_flyio.state.file import FileStore

async def main():
    async with FileStore(Path(sys.argv[1])).lock("deploy"):
        print("held", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.save(full_state())
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as holder:  # noqa: ASYNC220
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StateLocked, match=rf"deploy \(process {holder.pid} on .* since 20"):
            async with store.lock("generate"):
                pytest.fail("both hold the lock")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    async with store.lock("generate"):
        assert "generate" in (store.holder() or "")
    assert not (tmp_path / "lock").exists()


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.save(full_state())
    path = tmp_path / "deployments.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2", 1))
    with pytest.raises(StateTooNew, match="version 2"):
        await store.load()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("salt:", "saltt:", "'salt' is missing"),
        ("digest: d", "digestt: d", "digest"),
        ("workload: shop", "workloadd: shop", "workloadd"),
        ("version: 1", "version: {", "deployments.yaml:"),
    ],
)
async def test_a_broken_file_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    store = FileStore(tmp_path)
    await store.save(full_state())
    path = tmp_path / file_module.DEPLOYMENTS_FILE
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(StateCorrupt, match=words):
        await store.load()


async def test_a_state_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.yaml").write_bytes(b"\xff")
    with pytest.raises(StateError, match="not UTF-8") as caught:
        await FileStore(tmp_path).load()
    assert caught.value.code == "state_invalid"


def test_what_passes_of_a_release_is_not_written() -> None:
    """Older versions of this tool refuse keys that they do not know."""
    remembered = Release(version=1, at=1.5, image="x", configs={"app": {"n": 1}})
    passing = evolve(remembered, id="R", tool_version="t", back_to=1)
    state = ProjectState.new("")
    state.deployments["web"] = DeploymentRecord(releases=(passing,))
    again = load_document(dump_document(state), "kept.yaml")
    assert again.deployments["web"].releases == (remembered,)
    text = dump_document(state)
    assert "- version: 1" in text
    text = text.replace("- version: 1", "- back_to: 1\n        version: 1")
    with pytest.raises(StateCorrupt, match="back_to"):
        load_document(text, "kept.yaml")
