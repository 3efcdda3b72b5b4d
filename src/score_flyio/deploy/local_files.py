"""Local files that an app refers to, read from disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from score_flyio.base.input_file import read_input
from score_flyio.base.record import field, frozen


@frozen
class NoFiles:
    """For apps of which only the outline is known."""

    def read(self, path: str) -> bytes:
        """Raises FileNotFoundError, always."""
        raise FileNotFoundError(path)


NO_FILES = NoFiles()


@frozen
class LocalFiles:
    """Reads files relative to a folder: the working directory, as flyctl does."""

    directory: Path
    within: tuple[Path, ...] = ()
    """Where files must lie; empty: anywhere."""
    made: Mapping[str, bytes] = field(factory=dict, repr=False)
    """By path, files that need not be there."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError: it cannot be read, or lies elsewhere."""
        if path in self.made:
            return self.made[path]
        return read_input(self.directory / path, within=self.within)
