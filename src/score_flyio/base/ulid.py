"""Unique ids that sort by time: 26 characters, as the platform itself uses them."""

from __future__ import annotations

import random

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32."""
_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_LENGTH = 26
_LARGEST = 2**128


def new_ulid(seconds: float, rng: random.Random) -> str:
    """A ULID: 48 bits of milliseconds since the epoch and 80 bits of chance."""
    value = (int(seconds * 1000) << 80) | rng.getrandbits(80)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))


def time_of(ulid: str) -> float | None:
    """When a ULID was made, in seconds since the epoch; None for a text that is none."""
    if len(ulid) != _LENGTH or not set(ulid) <= set(ALPHABET):
        return None
    value = int(ulid.translate(_DIGITS), base=32)
    return (value >> 80) / 1000 if value < _LARGEST else None
