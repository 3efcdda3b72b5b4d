"""Writing a file completely or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write beside the target, flush to disk, rename, flush the folder. Raises OSError.

    Without `durable` nothing is flushed: for what can be made again after a power cut.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            fresh.chmod(mode)
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def is_private(path: Path) -> bool:
    """Whether only its owner can read it; on Windows the folder's own rights decide that."""
    return sys.platform == "win32" or not path.stat().st_mode & 0o077


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # A folder cannot be opened there, and renaming is part of its journal.
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
