"""Locks on folders and files that end, at the latest, with the process that holds them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FILE: Final = ".lock"
"""What is locked on Windows, where a folder cannot be opened."""


def lock_folder(folder: Path) -> int | None:
    """Lock without waiting: the number of an open file, which unlocks when it is closed.

    None: another process holds the lock. Raises OSError.
    """
    if sys.platform == "win32":
        number = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    else:
        number = os.open(folder, os.O_RDONLY)
    taken = False
    try:
        taken = _lock(number)
    finally:
        if not taken:
            os.close(number)
    return number if taken else None


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock on a file, made for it; waits while another process does. Raises OSError."""
    number = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _lock(number, wait=True)
        yield
    finally:
        os.close(number)


def _lock(number: int, *, wait: bool = False) -> bool:
    if sys.platform == "win32":
        from filelock import lock_descriptor

        return lock_descriptor(number, blocking=wait)
    # The same call as filelock's, whose import would take a fifth of the time of a `generate`.
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
