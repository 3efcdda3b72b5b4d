"""What BuildKit is told of a folder, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_flyio.errors import ImageError
from score_flyio.images.builders.filesync import Sending, framed
from score_flyio.images.builders.protobuf import encoded, fields
from score_flyio.images.context import list_context
from score_flyio.images.dockerignore import read_rules

STAT, REQUEST, DATA, END, ERROR = range(5)


def sending(root: Path, *ignored: str) -> Sending:
    return Sending(list_context(root, read_rules("\n".join(ignored), file="f")))


def messages(frames: bytes) -> list[dict[int, int | bytes]]:
    found = []
    while frames:
        size = int.from_bytes(frames[1:5], "big")
        found.append(dict(fields(frames[5 : 5 + size])))
        frames = frames[5 + size :]
    return found


def listed(frames: bytes) -> dict[object, object]:
    """Modes by path."""
    told = [
        dict(fields(stat)) for each in messages(frames) if isinstance(stat := each.get(2), bytes)
    ]
    return {stat[1]: stat[2] for stat in told}


def test_everything_with_the_folders_that_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "run").touch()
    (tmp_path / "a" / "b" / "run").chmod(0o4755)
    (tmp_path / "a.txt").symlink_to("a")
    (tmp_path / "a").chmod(0o700)
    (tmp_path / "out").touch()
    first = next(sending(tmp_path, "*", "!a/b/run", "!a.txt").frames())
    assert listed(first) == {
        b"a": 1 << 31 | 0o755,
        b"a/b": 1 << 31 | 0o755,
        b"a/b/run": 1 << 23 | 0o755,
        b"a.txt": 1 << 27 | 0o777,
    }
    assert list(listed(first)) == [b"a", b"a/b", b"a/b/run", b"a.txt"]
    assert messages(first)[-1] == {1: STAT}


def test_files_that_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "word").write_text("hello")
    folder = sending(tmp_path)
    frames = folder.frames()
    next(frames)
    assert next(frames) == b""
    asked = framed(encoded({1: REQUEST, 3: 1})) + framed(encoded({1: REQUEST}))
    for byte in asked:
        folder.take(bytes([byte]))
    assert messages(next(frames) + next(frames) + next(frames)) == [
        {1: DATA, 3: 1, 4: b"hello"},
        {1: DATA, 3: 1},
        {1: DATA, 3: 0},
    ]
    assert next(frames) == b""
    folder.take(framed(encoded({1: END})))
    assert messages(b"".join(frames)) == [{1: END}]


def test_a_file_that_is_gone_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("hello")
    folder = sending(tmp_path)
    frames = folder.frames()
    next(frames)
    (tmp_path / "word").unlink()
    folder.take(framed(encoded({1: REQUEST})))
    with pytest.raises(ImageError, match="word: it was removed while it was read") as raised:
        next(frames)
    assert raised.value.hint


def test_a_daemon_without_room(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not take the build context: no space left"):
        sending(tmp_path).take(framed(encoded({1: ERROR, 4: b"no space left"})))
