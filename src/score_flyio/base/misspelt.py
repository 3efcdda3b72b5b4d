"""Names that are misspelt: what they are most like, and the question whether that is meant."""

from __future__ import annotations

from collections.abc import Iterable


def alike(name: str, known: Iterable[str], *, most: int = 3, likeness: float = 0.6) -> list[str]:
    """The names that are spelled most like this one, the nearest first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(known), n=most, cutoff=likeness)


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """The name that is spelled most like this one; empty where none is."""
    return next(iter(alike(name, known, most=1, likeness=likeness)), "")


def did_you_mean(name: str, *, before: str = "", after: str = "") -> str:
    """The question whether it was meant, with what stands around it; empty without a name."""
    return f"{before}did you mean {name}?{after}" if name else ""
