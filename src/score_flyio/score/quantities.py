"""CPU and memory quantities of a Score file."""

from __future__ import annotations

import re
from typing import Final

_CPU: Final = re.compile(r"([0-9]+)(?:(m)|\.([0-9]+))?")
_MEMORY: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:([KMGTPE])(i?))?")
_LARGEST: Final = 2**63 - 1
_MOST_DIGITS: Final = 1000


def parse_cpu(text: str) -> int:
    """CPU quantity → thousandths of a CPU, cut off: `1.5`, `250m`.

    Raises ValueError: not a CPU quantity, or too large.
    """
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a CPU quantity such as 0.5, 2 or 250m')
    whole, milli, decimals = match.groups(default="")
    return _bounded(whole, decimals, 1 if milli else 1000, text)[0]


def parse_memory(text: str) -> int:
    """Memory quantity → bytes, rounded up: `512Mi`, `1.5G`, `1000`.

    Raises ValueError: not a memory quantity, or too large.
    """
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a memory quantity such as 512Mi, 1.5G or 256000000')
    whole, decimals, unit, binary = match.groups(default="")
    power = "KMGTPE".index(unit) + 1 if unit else 0
    value, rest = _bounded(whole, decimals, (1024 if binary else 1000) ** power, text)
    return value + (rest > 0)


def _bounded(whole: str, decimals: str, unit: int, text: str) -> tuple[int, int]:
    """`whole.decimals` units, cut off, and what was cut off in some smaller unit."""
    if len(whole) + len(decimals) > _MOST_DIGITS:
        raise ValueError("the quantity has too many digits; it is too large or too exact")
    value, rest = divmod(int(whole + decimals) * unit, 10 ** len(decimals))
    if value > _LARGEST:
        raise ValueError(f'"{text}" is too large')
    return value, rest
