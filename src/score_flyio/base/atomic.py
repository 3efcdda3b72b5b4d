"""Writing a file completely or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
READABLE: Final = 0o666
"""For whom the umask lets read it, as other programs write files."""
_DEVICES: Final = Path("/dev")


def write_atomically(path: Path, data: bytes, *, mode: int = PRIVATE, durable: bool = True) -> None:
    """Write beside the target, flush to disk, rename, flush the folder. Raises OSError.

    A device or a pipe, such as `/dev/stdout` or what `>(…)` of a shell gives, is written to as it
    is. Without `durable` nothing is flushed: for what can be made again after a power cut.
    """
    if _DEVICES in path.parents or (path.exists() and not path.is_file()):
        path.write_bytes(data)
        return
    fresh = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if durable and sys.platform != "win32":  # there, renaming is part of a folder's journal
        number = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def behind_link(path: Path) -> Path:
    """The file that a link leads to, to be replaced in its place; devices stay as they are."""
    if _DEVICES in path.parents or not path.is_symlink():
        return path
    return Path(os.path.realpath(path))


def is_private(path: Path) -> bool:
    """Whether only its owner can read it; on Windows the folder's own rights decide that."""
    return sys.platform == "win32" or not path.stat().st_mode & 0o077
