from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from score_flyio.base.atomic import READABLE, is_private, write_atomically


@pytest.mark.parametrize("system", ["linux", "win32"])
@pytest.mark.parametrize("durable", [True, False])
def test_the_file_is_replaced_and_nothing_is_left_beside_it(
    system: str, durable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    path = tmp_path / "state.yaml"
    write_atomically(path, b"old\n", durable=durable)
    write_atomically(path, b"new\n", durable=durable)
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_is_as_given(tmp_path: Path) -> None:
    write_atomically(tmp_path / "own", b"")
    write_atomically(tmp_path / "all", b"", mode=0o644)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "all").stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_private_is_what_others_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "own", b"")
    write_atomically(tmp_path / "all", b"", mode=0o644)
    assert is_private(tmp_path / "own")
    assert not is_private(tmp_path / "all")
    monkeypatch.setattr(sys, "platform", "win32")
    assert is_private(tmp_path / "all"), "modes say nothing there"


def test_the_umask_counts_for_what_others_may_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "all", b"", mode=READABLE)
        write_atomically(tmp_path / "own", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "all").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    number = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"report")
        assert os.read(number, 100) == b"report"
    finally:
        os.close(number)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
