"""CPU and memory quantities of a Score file."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

_CPU: Final = re.compile(r"([0-9]+)(m|\.[0-9]+)?")
_MEMORY: Final = re.compile(r"((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?:([KMGTPE])(i?))?")
_LARGEST: Final = 2**63 - 1


def parse_cpu(text: str) -> int:
    """CPU quantity → thousandths of a CPU, cut off: `1.5`, `250m`.

    Raises:
        ValueError: not a CPU quantity, or too large.
    """
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no CPU quantity such as 0.5, 2 or 250m')
    whole, rest = match.groups()
    milli = int(whole) if rest == "m" else math.floor(Fraction(text) * 1000)
    return _bounded(milli, text)


def parse_memory(text: str) -> int:
    """Memory quantity → bytes, rounded up: `512Mi`, `1.5G`, `1000`.

    Raises:
        ValueError: not a memory quantity, or too large.
    """
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no memory quantity such as 512Mi, 1.5G or 256000000')
    number, unit, binary = match.groups()
    power = "KMGTPE".index(unit) + 1 if unit else 0
    return _bounded(math.ceil(Fraction(number) * (1024 if binary else 1000) ** power), text)


def _bounded(value: int, text: str) -> int:
    if value > _LARGEST:
        raise ValueError(f'"{text}" is too large')
    return value
