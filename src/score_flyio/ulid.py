"""Unique ids that sort by time: 26 characters, as the platform itself uses them."""

from __future__ import annotations

import random

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32."""


def new_ulid(seconds: float, rng: random.Random) -> str:
    """A ULID: 48 bits of milliseconds since the epoch and 80 bits of chance."""
    value = (int(seconds * 1000) << 80) | rng.getrandbits(80)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))
