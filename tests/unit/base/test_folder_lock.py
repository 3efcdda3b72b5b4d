from __future__ import annotations

import os
import sys
from pathlib import Path

import filelock
import pytest

from score_flyio.base.folder_lock import FILE, lock_folder


@pytest.fixture(params=["linux", "win32"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Windows is given works here too; only the system's own call behind it is another."""
    assert filelock.lock_descriptor is not None
    name: str = request.param
    monkeypatch.setattr(sys, "platform", name)
    return name


def test_one_at_a_time(tmp_path: Path) -> None:
    first = lock_folder(tmp_path)
    assert first is not None
    assert lock_folder(tmp_path) is None
    os.close(first)
    second = lock_folder(tmp_path)
    assert second is not None
    os.close(second)


def test_only_windows_needs_a_file(tmp_path: Path, system: str) -> None:
    number = lock_folder(tmp_path)
    assert number is not None
    os.close(number)
    assert [path.name for path in tmp_path.iterdir()] == ([FILE] if system == "win32" else [])


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock_folder(tmp_path / "none")
