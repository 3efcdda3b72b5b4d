"""What people name as input is read only where it is a file, of a bearable size, in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from score_flyio.base.input_file import read_input


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00A")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_input(tmp_path / "a") == b"\x00A"
    assert read_input(tmp_path / "link", within=[tmp_path]) == b"\x00A"


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/cmdline", "/dev/zero"])
def test_the_system_is_no_input(path: str) -> None:
    with pytest.raises(OSError, match="it is not a regular file"):
        read_input(Path(path))


def test_a_pipe_is_no_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is not a regular file"):
        read_input(tmp_path / "pipe")


def test_a_pipe_that_a_shell_hands_over_is_read(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    name = Path(f"/dev/fd/{ours}")
    (tmp_path / "link").symlink_to(name)
    try:
        with os.fdopen(theirs, "wb") as writing:
            writing.write(b"text")
        for path, within in ((tmp_path / "link", []), (name, [tmp_path])):
            with pytest.raises(OSError, match=r"No such file|lies outside"):
                read_input(path, within=within)
        assert read_input(name) == b"text"
    finally:
        os.close(ours)


def test_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_input(tmp_path)


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(OSError, match="larger than 16 MiB; SCORE_FLYIO_LARGEST_FILE allows more"):
        read_input(tmp_path / "large")
    monkeypatch.setenv("SCORE_FLYIO_LARGEST_FILE", "17")
    assert len(read_input(tmp_path / "large")) == 17 * 1024 * 1024
    monkeypatch.setenv("SCORE_FLYIO_LARGEST_FILE", "2")
    with pytest.raises(OSError, match="larger than 2 MiB"):
        read_input(tmp_path / "large")


@pytest.mark.parametrize("text", ["0", "-1", "64mb", "1.5", "²", "9" * 30])
def test_a_size_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SCORE_FLYIO_LARGEST_FILE", text)
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match="which is no number of MiB"):
        read_input(tmp_path / "a")


@pytest.mark.parametrize("name", ["../secret", "link", "folder/secret"])
def test_a_file_elsewhere_is_refused_however_it_is_reached(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret").write_text("s")
    (project / "link").symlink_to(tmp_path / "secret")
    (project / "folder").symlink_to(tmp_path)
    with pytest.raises(OSError, match="it lies outside of"):
        read_input(project / name, within=[project])
    assert read_input(project / name, within=[project, tmp_path]) == b"s"
