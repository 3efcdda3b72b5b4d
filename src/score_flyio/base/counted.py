"""Numbers of things, as people write them."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 machine`, `2 machines`; `many` where an s does not do."""
    return f"{number} {one if number == 1 else many or one + 's'}"
