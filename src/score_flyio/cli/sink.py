"""Streams that never end a run: what cannot be written is dropped, and told of at the end."""

import os
from collections.abc import Callable
from typing import TextIO

from score_flyio.base.printable import printable
from score_flyio.base.record import define


@define(eq=False)
class Sink:
    """Writes to a stream until that fails; a stream that is closed from the start is no fault."""

    stream: TextIO | None
    name: str
    failure: OSError | None = None
    """Why nothing is written any more."""
    aside: bool = False
    """Whether the command did its work even if nobody can read of it."""
    asks: bool = False
    """Whether somebody is asked something there: what is drawn would hide the question."""
    make_room: Callable[[], None] | None = None
    """Takes away what is drawn on the terminal, and is drawn again, before a line is written."""

    def write(self, text: str) -> None:
        """Write text for people; whatever could drive their terminal is escaped."""
        if self.make_room is not None:
            self.make_room()
        self.write_raw(printable(text))

    def write_raw(self, text: str) -> None:
        """Write text exactly: a document, or what is meant to drive a terminal."""
        if self.stream is None or self.failure is not None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except UnicodeEncodeError:
            # Consoles of Windows have few characters, and so have pipes there.
            encoding = self.stream.encoding
            self.write_raw(text.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self.failure = error

    def close(self) -> None:
        """Close the stream; what it still held may be lost, too."""
        try:
            if self.stream is not None:
                self.stream.close()
        except OSError as error:
            self.failure = self.failure or error

    def isatty(self) -> bool:
        """Whether people see it at once."""
        return self.stream is not None and self.stream.isatty()

    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal, as it is now, unless the environment sets them."""
        import shutil

        set_or_usual = shutil.get_terminal_size()
        if self.stream is None or {"COLUMNS", "LINES"} & os.environ.keys():
            return set_or_usual
        try:
            columns, lines = os.get_terminal_size(self.stream.fileno())
        except OSError:  # also where a stream has no file
            return set_or_usual
        return columns or set_or_usual.columns, lines or set_or_usual.lines
