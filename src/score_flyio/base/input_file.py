"""Reading what people name as input: regular files of a bearable size, from where they may be."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LARGEST: Final = 16 * 1024 * 1024
"""Bytes; a Score file, a fly.toml or a file of a container is far smaller."""
_NO_FILES: Final = (Path("/proc"), Path("/sys"), Path("/dev"))
"""What looks like files there is the system, this process's environment among it."""


def read_input(path: Path, *, within: Sequence[Path] = (), limit: int = LARGEST) -> bytes:
    """The bytes of a file.

    Args:
        path: the file; links are followed first.
        within: where it must lie, links followed; empty: anywhere.
        limit: the most bytes that it may have.

    Raises:
        OSError: it cannot be read, or must not be; `strerror` says why.
    """
    try:
        found = Path(os.path.realpath(path, strict=True))
    except ValueError as error:
        raise OSError(errno.EINVAL, "no file can have that name") from error
    folders = [Path(os.path.realpath(folder)) for folder in within]
    if folders and not any(found.is_relative_to(folder) for folder in folders):
        raise OSError(errno.EACCES, f"it lies outside of {' and '.join(map(str, within))}")
    if any(found.is_relative_to(folder) for folder in _NO_FILES):
        raise OSError(errno.EINVAL, "it is not a regular file")
    number = os.open(found, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as file:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit // 1024 // 1024} MiB")
    return data
