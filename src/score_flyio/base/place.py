"""Places in a document, the kinds of values there, and how both are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from types import NoneType
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

MOST_LEVELS: Final = 100
"""Maps and lists in each other: what is accepted must also be read back from the state."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_PARTS: Final = re.compile(r"(?P<name>[^.\[\]]+)|\[(?:(?P<index>[0-9]+)|(?P<odd>[^\]]*))\]")
_SHOWN: Final = 60
_KINDS: Final = (
    (NoneType, "null"),
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "text"),
    (dict, "a map"),
)


def place_text(path: Sequence[str | int]) -> str:
    """A path as people read it, such as `containers.main.files[/etc/app.conf].source`."""
    text = ""
    for part in path:
        if isinstance(part, int) or not _PLAIN.fullmatch(part):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def path_of(text: str) -> Path:
    """The path that `place_text` writes as this text."""
    parts = _PARTS.finditer(text)
    return tuple(
        part["name"] or (int(part["index"]) if part["index"] else part["odd"]) for part in parts
    )


def json_pointer(path: Sequence[str | int]) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def value_at(document: Any, path: Sequence[str | int]) -> Any:
    """The value at a path, or None where there is none."""
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """What is in maps and lists within each other, with its places."""
    match value:
        case dict():
            for key, item in value.items():
                yield from leaves(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from leaves(item, (*path, index))
        case _:
            yield path, value


def with_leaves(value: Any, change: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """The same maps and lists, with what `change` makes of all that is in them."""
    match value:
        case dict():
            return {key: with_leaves(item, change, (*path, key)) for key, item in value.items()}
        case list():
            return [with_leaves(item, change, (*path, index)) for index, item in enumerate(value)]
        case _:
            return change(path, value)


def kind_of(value: Any) -> str:
    """What a value is, in the words of a Score file."""
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "a list")


def shown(value: Any) -> str:
    """A value for a message: what it is and, where short, itself."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {str(value)[:_SHOWN]}"
        case str():
            return quoted(value)
        case _:
            return kind_of(value)


def quoted(text: str) -> str:
    """Text in double quotes, on one line, cut when long."""
    line = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace('"', '\\"')
    return f'"{line[:_SHOWN]}…"' if len(line) > _SHOWN else f'"{line}"'


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
