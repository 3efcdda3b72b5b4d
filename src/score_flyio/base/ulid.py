"""Unique ids that sort by time: 26 characters, as the platform itself uses them."""

from __future__ import annotations

import random
import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32."""
_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def new_ulid(seconds: float, rng: random.Random) -> str:
    """A ULID: 48 bits of milliseconds since the epoch and 80 bits of chance."""
    value = (int(seconds * 1000) << 80) | rng.getrandbits(80)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))


def time_of(ulid: str) -> float | None:
    """When a ULID was made, in seconds since the epoch; None for a text that is none."""
    if not _ULID.fullmatch(ulid):
        return None
    return int(ulid[:10].translate(_DIGITS), base=32) / 1000
