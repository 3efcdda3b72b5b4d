"""Codes of regions: which there are, and which one is meant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from score_flyio.base.misspelt import alike

REGIONS: Final = frozenset(
    {"ams", "arn", "bom", "cdg", "dfw", "ewr", "fra", "gru", "iad", "jnb", "lax", "lhr", "nrt",
     "ord", "sin", "sjc", "syd", "yyz"}
)  # fmt: skip
"""Those that the public documentation lists; the platform may have more by now."""
AREAS: Final = frozenset({"any", "africa", "apac", "eu", "na", "sa", "us", "usa"})
"""What stands for several regions, for machines and not for volumes."""


def nearest(code: str, regions: Collection[str] = REGIONS) -> tuple[str, ...]:
    """The regions whose codes are spelled most like it; all where none is."""
    lower = code.strip().lower()
    if lower in regions:
        return (lower,)
    return tuple(alike(lower, sorted(regions)) or sorted(regions))
