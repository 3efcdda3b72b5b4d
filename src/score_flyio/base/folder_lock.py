"""A lock on a folder that ends, at the latest, with the process that holds it."""

from __future__ import annotations

import os
import sys
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
    try:
        taken = _lock(number)
    except BaseException:
        os.close(number)
        raise
    if taken:
        return number
    os.close(number)
    return None


def _lock(number: int) -> bool:
    if sys.platform == "win32":
        from filelock import lock_descriptor

        return lock_descriptor(number, blocking=False)
    # The same call as filelock's, whose import would take a fifth of the time of a `generate`.
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
