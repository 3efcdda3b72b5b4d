from __future__ import annotations

import hashlib
import io
import os
import socket
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from score_flyio.errors import ImageError
from score_flyio.images.context import (
    BLOCK,
    Context,
    Entry,
    added_entry,
    hash_of,
    in_thread,
    list_context,
    tar_of,
)
from score_flyio.images.dockerignore import IgnoreRules, read_rules


def listed(root: Path, *lines: str) -> Context:
    return list_context(root, read_rules("\n".join(lines), file="f"))


def unpacked(context: Context) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(tar_of(context))), errors="surrogateescape")


def names(context: Context) -> list[str]:
    with unpacked(context) as archive:
        return archive.getnames()


def test_everything_with_its_mode_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir(mode=0o750)
    (tmp_path / "b" / "run").write_text("#!/bin/sh\n")
    (tmp_path / "b" / "run").chmod(0o4755)
    (tmp_path / "empty").touch()
    (tmp_path / "a link").symlink_to("../outside")
    (tmp_path / "folder link").symlink_to("b")
    os.mkfifo(tmp_path / "pipe")
    with unpacked(listed(tmp_path)) as archive:
        found = {info.name: info for info in archive}
        assert list(found) == ["a link", "b", "b/run", "empty", "folder link", "pipe"]
        assert found["b"].isdir()
        assert found["b"].mode == 0o750
        assert found["b/run"].mode == 0o4755
        file = archive.extractfile("b/run")
        assert file is not None
        assert file.read() == b"#!/bin/sh\n"
        assert found["a link"].linkname == "../outside"
        assert found["folder link"].issym()
        assert found["pipe"].isfifo()
        assert {(info.uid, info.gid) for info in found.values()} == {(0, 0)}


def test_sockets_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert names(listed(tmp_path)) == []


def test_names_of_any_bytes_and_length(tmp_path: Path) -> None:
    strange = os.fsencode(tmp_path) + b"/caf\xe9\n"
    with open(strange, "wb") as file:  # noqa: PTH123  # paths are texts
        file.write(b"x")
    deep = tmp_path / ("d" * 200) / ("e" * 200)
    deep.mkdir(parents=True)
    (deep / ("f" * 200)).symlink_to("g" * 300)
    with unpacked(listed(tmp_path)) as archive:
        found = archive.getmembers()
    assert os.fsencode(found[0].name) == b"caf\xe9\n"
    assert found[-1].name == "/".join(letter * 200 for letter in "def")
    assert found[-1].linkname == "g" * 300


def test_what_the_ignore_file_leaves_out(tmp_path: Path) -> None:
    for path in ("node_modules/a/b", "src/main.go", "src/main_test.go", "docs/a.md", "docs/keep/x"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert names(listed(tmp_path, "node_modules", "**/*_test.go", "docs", "!docs/keep")) == [
        "docs/keep",
        "docs/keep/x",
        "src",
        "src/main.go",
    ]
    assert names(listed(tmp_path, "*", "!**/*.go")) == ["src/main.go", "src/main_test.go"]


def test_folders_left_out_are_not_looked_into(tmp_path: Path) -> None:
    closed = tmp_path / "node_modules"
    closed.mkdir()
    (tmp_path / "other").mkdir()
    looked: list[str] = []

    class Watched(IgnoreRules):
        def leaves_out(self, path: str) -> bool:
            looked.append(path)
            return super().leaves_out(path)

    (closed / "x").touch()
    rules = read_rules("node_modules\n!other/x", file="f")
    watched = Watched(runs=rules.runs, kept_below=rules.kept_below)
    list_context(tmp_path, watched)
    assert looked == ["node_modules", "other"]


def test_large_files_come_in_blocks(tmp_path: Path) -> None:
    content = os.urandom(3 * BLOCK + 7)
    (tmp_path / "large").write_bytes(content)
    context = listed(tmp_path)
    blocks = list(tar_of(context))
    assert len(blocks) >= 3
    assert max(map(len, blocks)) <= 2 * BLOCK
    with unpacked(context) as archive:
        file = archive.extractfile("large")
        assert file is not None
        assert file.read() == content


def test_a_huge_file_needs_no_memory(tmp_path: Path) -> None:
    size = 9 * 1024**3
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(size)
    context = list_context(tmp_path, IgnoreRules(), largest=2 * size)
    blocks = tar_of(context)
    info = tarfile.TarInfo.frombuf(next(blocks)[:512], "utf-8", "strict")
    blocks.close()  # type: ignore[attr-defined]  # it is a generator
    assert info.size == size


def test_files_that_are_gone_are_left_out(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    context = listed(tmp_path)
    (tmp_path / "b").unlink()
    assert names(context) == ["a", "c"]
    assert hash_of(context) == hash_of(listed(tmp_path))


def test_a_file_that_became_longer_is_cut(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one")
    context = listed(tmp_path)
    (tmp_path / "log").write_text("one two")
    with unpacked(context) as archive:
        file = archive.extractfile("log")
        assert file is not None
        assert file.read() == b"one"


def test_a_file_that_became_shorter_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one two")
    context = listed(tmp_path)
    (tmp_path / "log").write_text("one")
    with pytest.raises(ImageError, match="log: it became shorter") as raised:
        list(tar_of(context))
    assert raised.value.hint


def test_what_became_a_link_or_a_pipe_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("content")
    context = listed(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to(__file__)
    with pytest.raises(ImageError, match="cannot be read"):
        list(tar_of(context))
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ImageError, match="shorter"):
        list(tar_of(context))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="nowhere: cannot be read"):
        listed(tmp_path / "nowhere")


def test_a_context_that_is_too_large_names_the_largest(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        (tmp_path / "data" / name).write_bytes(bytes(2 * 1024**2))
    with pytest.raises(ImageError, match=r"4 MB, more than 3 MB.*: data \(4 MB\), small") as raised:
        list_context(tmp_path, IgnoreRules(), largest=3 * 1024**2)
    assert ".dockerignore" in str(raised.value.hint)


def test_added_files(tmp_path: Path) -> None:
    context = list_context(tmp_path, IgnoreRules(), added_entry(".dockerfile", b"FROM scratch\n"))
    with unpacked(context) as archive:
        file = archive.extractfile(".dockerfile")
        assert file is not None
        assert file.read() == b"FROM scratch\n"


def test_what_the_hash_depends_on(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    first = hash_of(listed(tmp_path))
    os.utime(file, (1, 1))
    assert hash_of(listed(tmp_path)) == first
    seen = {first}

    def lead_elsewhere() -> None:
        (tmp_path / "l").unlink()
        (tmp_path / "l").symlink_to("y")

    changes: list[Callable[[], object]] = [
        lambda: file.write_text("2"),
        lambda: file.chmod(0o755),
        lambda: file.rename(tmp_path / "b"),
        lambda: (tmp_path / "l").symlink_to("x"),
        lead_elsewhere,
        (tmp_path / "d").mkdir,
    ]
    for change in changes:
        change()
        seen.add(hash_of(listed(tmp_path)))
    assert len(seen) == len(changes) + 1
    assert hash_of(list_context(tmp_path, IgnoreRules(), added_entry("z", b""))) not in seen


async def test_blocks_are_read_in_a_thread(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(BLOCK + 1))
    context = listed(tmp_path)
    found = hashlib.sha256()
    async for block in in_thread(tar_of(context)):
        found.update(block)
    assert found.digest() == hashlib.sha256(b"".join(tar_of(context))).digest()


async def test_a_folder_is_looked_into_no_further_when_nobody_waits(tmp_path: Path) -> None:
    """Ctrl-C waited for the whole of it, and for the hash of all that is in it."""
    looked: list[str] = []

    class Cancelling(IgnoreRules):
        def leaves_out(self, path: str) -> bool:
            looked.append(path)
            anyio.from_thread.run_sync(scope.cancel)
            return False

    (tmp_path / "a" / "b").mkdir(parents=True)
    with anyio.CancelScope() as scope:
        await anyio.to_thread.run_sync(list_context, tmp_path, Cancelling())
    assert scope.cancelled_caught
    assert looked == ["a"]


async def test_a_file_is_read_no_further_when_nobody_waits(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(64 * 1024**3)
    listing = list_context(tmp_path, IgnoreRules(), largest=2**40)
    begun, read = anyio.Event(), False

    def entries() -> Iterator[Entry]:
        nonlocal read
        anyio.from_thread.run_sync(begun.set)
        yield listing.entries[0]
        read = True

    endless: Any = entries()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, hash_of, Context(root=tmp_path, entries=endless))
        await begun.wait()
        tasks.cancel_scope.cancel()
    assert not read
