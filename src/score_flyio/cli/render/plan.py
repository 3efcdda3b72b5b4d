"""A plan on a terminal: signs in colour, and lines that end where the terminal does."""

import re
import textwrap
from typing import Final

from score_flyio.base.printable import printable

_SIGN: Final = re.compile(r"^ {0,2}([+~-]) ")
_COLOURS: Final = {"+": "32", "~": "33", "-": "31"}
_NARROWEST: Final = 40
"""Columns; on a narrower terminal lines stay whole."""


def on_terminal(text: str, *, color: bool, columns: int) -> str:
    """The text as it is written to a terminal, which no part of it can drive."""
    lines = [_line(line, columns, color=color) for line in printable(text).split("\n")]
    return "\n".join(lines)


def _line(line: str, width: int, *, color: bool) -> str:
    sign = _SIGN.match(line)
    if len(line) > width >= _NARROWEST:
        indent = len(line) - len(line.lstrip()) + 4
        line = "\n".join(
            textwrap.wrap(
                line,
                width,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
                replace_whitespace=False,
            )
        )
    return f"\x1b[{_COLOURS[sign[1]]}m{line}\x1b[0m" if color and sign else line
