"""Reading what people name as input: regular files of a bearable size, from where they may be."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

LARGEST: Final = "SCORE_FLYIO_LARGEST_FILE"
"""The variable with the most MiB that a file may have."""
USUAL: Final = 16
"""MiB without it; a Score file, a fly.toml or a file of a container is far smaller."""
_NO_FILES: Final = (Path("/proc"), Path("/sys"), Path("/dev"))
"""What looks like files there is the system, this process's environment among it."""
_HANDED_OVER: Final = re.compile(r"/dev/(?:stdin|fd/\d+)")
"""What a shell calls a pipe that it hands over: `<(envsubst < score.yaml)`, `/dev/stdin`."""


def read_input(path: Path, *, within: Sequence[Path] = ()) -> bytes:
    """The bytes of a file, which must lie `within` some folders where any are given.

    Links are followed first. A pipe is read only where it is named as a shell does, and any folder
    will do. Raises OSError, whose `strerror` says why it cannot or must not be read.
    """
    if not within and _HANDED_OVER.fullmatch(str(path)):
        with path.open("rb") as pipe:
            return _limited(pipe)
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
        return _limited(file)


def _limited(file: BinaryIO) -> bytes:
    text = os.environ.get(LARGEST) or str(USUAL)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 1 << 20:
        raise OSError(
            errno.EINVAL,
            f"the variable {LARGEST} has {text!r}, which is no number of MiB, such as 64",
        )
    most = int(text) * 1024 * 1024
    data = file.read(most + 1)
    if len(data) > most:
        why = f"it is larger than {int(text)} MiB; {LARGEST} allows more, or less"
        raise OSError(errno.EFBIG, why)
    return data
