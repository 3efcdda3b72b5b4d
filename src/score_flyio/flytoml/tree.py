"""What is read from a file: tables, lists and scalars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from score_flyio.flytoml.gotext import text_of

Tree = dict[str, Any]


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar and its path, keys in the order of their names."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield from leaves(value[name], f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{place}[{index}]")
    else:
        yield place, value


def describe(value: Any) -> str:
    """The kind of a value and, for scalars, the value."""
    match value:
        case dict():
            return "a table"
        case list():
            return "a list"
        case str():
            return f"the text {value!r}"
        case _:
            return text_of(value)
