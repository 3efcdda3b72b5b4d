"""Values as fly.toml spells them: durations, sizes and command lines.

Durations follow Go's notation, as flyctl reads and writes them: `1h30m`, `1.5s`, `250ms`.
Sizes are decimal for volumes and binary for memory. Command lines are split into words, and no
shell is involved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import total_ordering
from typing import Final

from score_flyio.base.record import frozen

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(
    r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>ns|us|µs|μs|ms|s|m|h)"
)
_LARGEST: Final = 2**63 - 1


@total_ordering
@frozen
class Duration:
    """A span of time, exact to the nanosecond; negative spans are allowed."""

    nanoseconds: int

    def __lt__(self, other: Duration) -> bool:
        return self.nanoseconds < other.nanoseconds

    @classmethod
    def of_seconds(cls, seconds: float) -> Duration:
        """A span of so many seconds."""
        return cls(round(seconds * _UNITS["s"]))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read Go notation.

        Raises ValueError: the text is no duration, or longer than 2^63 - 1 ns (about 292 years).
        """
        sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        if rest == "0":
            return cls(0)
        total = _total(rest)
        if total is None or total > _LARGEST + (sign < 0):
            raise ValueError(f"{text!r} is not a duration such as 1m30s")
        return cls(sign * total)

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return self.nanoseconds / _UNITS["s"]

    def text(self) -> str:
        """Go notation: `1h15m0s`, `45s`, `1.5s`, `250ms`, `0s`."""
        sign = "-" if self.nanoseconds < 0 else ""
        rest = abs(self.nanoseconds)
        if rest < _UNITS["s"]:
            return sign + _below_one_second(rest)
        minutes, rest = divmod(rest, _UNITS["m"])
        hours, minutes = divmod(minutes, 60)
        head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{head}{_decimal(rest, _UNITS['s'])}s"

    def __str__(self) -> str:
        return self.text()


def _total(text: str) -> int | None:
    position, total = 0, 0
    while match := _PART.match(text, position):
        whole, fraction = match["whole"], match["fraction"] or ""
        if not whole and not fraction:
            return None
        unit = _UNITS[match["unit"]]
        total += int(whole or 0) * unit
        if fraction:
            total += int(fraction) * unit // 10 ** len(fraction)
        position = match.end()
    return total if text and position == len(text) else None


def _below_one_second(nanoseconds: int) -> str:
    for unit in ("ms", "µs"):
        if nanoseconds >= _UNITS[unit]:
            return f"{_decimal(nanoseconds, _UNITS[unit])}{unit}"
    return f"{nanoseconds}ns" if nanoseconds else "0s"


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


_INTEGER: Final = r"[+-]?[0-9]+"
_SIZE: Final = (
    r"(?i)(?P<number>\+?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)"
    r"(?:e[+-]?[0-9](?:_?[0-9])*)?|-(?:0+\.?0*|\.0+)) ?"
    r"(?:(?P<unit>[kmgtp])(?:b|ib)?|b)?"
)
"""Compiled when they are needed: few files have sizes."""


def volume_gb(text: str) -> int:
    """Size of a volume in GB, cut to a whole number; a plain integer is GB.

    Raises ValueError: the text is no size.
    """
    return _size(text, base=1000, unit=1000**3)


def memory_mib(text: str) -> int:
    """Size of memory in MiB, cut to a whole number; a plain integer is MiB.

    Raises ValueError: the text is no size.
    """
    return _size(text, base=1024, unit=1024**2)


def _size(text: str, *, base: int, unit: int) -> int:
    whole = re.fullmatch(_INTEGER, text)
    if whole and abs(float(text)) < 1e19 and -_LARGEST - 1 <= int(text) <= _LARGEST:
        return int(text)
    match = re.fullmatch(_SIZE, text)
    number = float(match["number"]) if match else math.inf
    if match is None or math.isinf(number):
        raise ValueError(f"{text!r} is not a size such as 512mb or 2gb")
    power = " kmgtp".index((match["unit"] or " ").lower())
    size = number * base**power
    # what does not fit in 64 bits turns negative, as it does for flyctl
    return int(size) // unit if size <= _LARGEST else -((_LARGEST + 1) // unit)


_BLANKS: Final = " \t\r\n"


def split_command(text: str) -> list[str]:
    """Split a command line into words, as flyctl does.

    Quotes group, a backslash keeps the next character outside single quotes, `#` at the start of
    a word begins a comment that ends with the line. Nothing is expanded.

    Raises ValueError: a quote is not closed, or the text ends with a backslash.
    """
    words: list[str] = []
    word: list[str] | None = None
    chars = iter(text)
    for char in chars:
        if char in _BLANKS:
            if word is not None:
                words.append("".join(word))
            word = None
        elif char == "#" and word is None:
            next((char for char in chars if char == "\n"), None)  # what is behind the comment
        else:
            word = [] if word is None else word
            word.extend(_piece(char, chars))
    return words if word is None else [*words, "".join(word)]


def _piece(char: str, chars: Iterator[str]) -> Iterator[str]:
    if char == "\\":
        yield _after_backslash(chars)
    elif char in "'\"":
        yield from _quoted(char, chars)
    else:
        yield char


def _quoted(quote: str, chars: Iterator[str]) -> Iterator[str]:
    for char in chars:
        if char == quote:
            return
        yield _after_backslash(chars) if char == "\\" and quote == '"' else char
    raise ValueError(f"a {quote} is not closed")


def _after_backslash(chars: Iterator[str]) -> str:
    char = next(chars, None)
    if char is None:
        raise ValueError("the text ends with a backslash")
    return char
