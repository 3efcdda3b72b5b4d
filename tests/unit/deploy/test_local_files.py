"""Local files that an app refers to."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_flyio.deploy.local_files import LocalFiles


def test_reads_relative_to_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00A")
    assert LocalFiles(tmp_path).read("a") == b"\x00A"
    assert LocalFiles(tmp_path / "other").read(str(tmp_path / "a")) == b"\x00A"


@pytest.mark.parametrize("path", ["none", "a\0b", "\ud800", "", "x" * 5000])
def test_what_cannot_be_read_is_an_os_error(tmp_path: Path, path: str) -> None:
    with pytest.raises(OSError, match=r"\w"):
        LocalFiles(tmp_path).read(path)
