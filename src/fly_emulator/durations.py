"""Durations as the API takes them: Go texts such as `1m30s`, or integers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LARGEST: Final = 2**63
"""Nanoseconds are 64-bit numbers."""
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds_of(value: object) -> float | None:
    """Seconds of a Go duration text or of an integer in nanoseconds; None when it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value / 1e9 if abs(value) < _LARGEST else None
    return _seconds_of_text(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_000)
def _seconds_of_text(text: str) -> float | None:
    """Remembered: machines in a list have the same few durations, and each was parsed anew."""
    if text in {"0", ""}:
        return 0.0 if text else None
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
