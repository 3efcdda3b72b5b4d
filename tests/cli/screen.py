"""The real command on a pseudo-terminal, and what its screen shows in the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

_CONTROL: Final = re.compile(r"\x1b\[(\d*)([A-Za-z])|(\r\n|\r|\n)")
_LINES: Final = 24


def screen(raw: str) -> list[str]:
    """The lines on the screen and those that left it at the top, without colours."""
    lines, row, column, place = [""], 0, 0, 0
    for control in _CONTROL.finditer(raw):
        text = raw[place : control.start()]
        lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
        column, place = column + len(text), control.end()
        if control[3] is not None:
            column = 0
            row += control[3] != "\r"
            lines += [""] * (row >= len(lines))
        elif control[2] == "F":
            row, column = row - int(control[1] or 1), 0
        elif control[2] == "J":
            lines[row:] = [lines[row][:column]]
        elif control[2] == "K":
            lines[row] = lines[row][:column]
        else:
            assert control[2] == "m", control[0]
    return [line.rstrip() for line in lines if line.strip()]


@frozen
class Shown:
    """What a command left on the terminal."""

    code: int
    raw: str
    columns: int

    @property
    def screen(self) -> list[str]:
        """The lines on the screen and those that left it at the top, without colours."""
        return screen(self.raw)


def on_a_terminal(
    folder: Path,
    *arguments: str,
    columns: int = 80,
    environ: Mapping[str, str] | None = None,
    meanwhile: Callable[[subprocess.Popen[bytes], str], None] | None = None,
) -> Shown:
    """Run the command with a terminal of so many columns on stdout and stderr.

    `meanwhile` gets the process, and what was shown until then, whenever something is.
    """
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, columns, 0, 0))
    unset = {"CI", "NO_COLOR", "COLUMNS", "LINES"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    with subprocess.Popen(
        [sys.executable, "-m", "score_flyio", *arguments],
        cwd=folder,
        env={**kept, "TERM": "xterm", **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
                if meanwhile is not None:
                    meanwhile(process, shown.decode(errors="replace"))
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(master)
    return Shown(process.returncode, shown.decode(), columns)
