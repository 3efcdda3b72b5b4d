"""Values as fly.toml spells them: durations.

Durations follow Go's notation, as flyctl reads and writes them: `1h30m`, `1.5s`, `250ms`.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

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


@frozen(order=True)
class Duration:
    """A span of time, exact to the nanosecond; negative spans are allowed."""

    nanoseconds: int

    @classmethod
    def of_seconds(cls, seconds: float) -> Duration:
        """A span of so many seconds."""
        return cls(round(seconds * _UNITS["s"]))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read Go notation.

        Raises:
            ValueError: the text is no duration, or longer than 2^63 - 1 ns (about 292 years).
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
