"""How deep values may be nested: what is accepted must also be read back from the state."""

from __future__ import annotations

from typing import Any, Final

MOST_LEVELS: Final = 100
"""Maps and lists inside each other, of a Score document or of a provisioner's answer."""


def too_deep(value: Any) -> bool:
    """Whether maps and lists are nested deeper than `MOST_LEVELS`."""
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
