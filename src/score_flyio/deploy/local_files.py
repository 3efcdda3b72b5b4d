"""Local files that an app refers to, read from disk."""

from __future__ import annotations

import errno
from pathlib import Path

from attrs import frozen

from score_flyio.base.record import Record


@frozen(eq=False, repr=False)
class NoFiles(Record):
    """For apps of which only the outline is known."""

    def read(self, path: str) -> bytes:
        """Raises FileNotFoundError, always."""
        raise FileNotFoundError(path)


NO_FILES = NoFiles()


@frozen(eq=False, repr=False)
class LocalFiles(Record):
    """Reads files relative to a folder: the working directory, as flyctl does."""

    directory: Path

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return (self.directory / path).read_bytes()
        except ValueError as error:
            raise OSError(errno.EINVAL, "no file can have that name") from error
