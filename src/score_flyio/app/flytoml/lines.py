"""On which line of a TOML text a key stands."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_HEADER: Final = re.compile(r"\s*(?P<list>\[)?\[\s*(?P<path>[^\]#=]+?)\s*\]")
_ENTRY: Final = re.compile(r"\s*(?P<path>[A-Za-z0-9_.'\" -]+?)\s*=")
_NAME: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[^.]+")
_INDEX: Final = re.compile(r"\[[0-9]+\]")


def lines_of(text: str) -> dict[str, int]:
    """Path of a key, such as `mounts[1].initial_size` → line, from 1. The first of equals wins.

    Only headers and keys at the start of a line are seen, which serves messages well enough.
    """
    lines: dict[str, int] = {}
    counts: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _indexed(_names(header["path"]), counts, is_list=bool(header["list"]))
            lines.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            path = ".".join((table, *_names(entry["path"]))) if table else entry["path"].strip()
            lines.setdefault(path, number)
    return lines


def line_for(lines: dict[str, int], place: str) -> int | None:
    """The line of a key, or of the nearest table around it."""
    while place:
        for spelling in (place, _INDEX.sub("", place)):
            if spelling in lines:
                return lines[spelling]
        place = place.rpartition(".")[0]
    return None


def _names(path: str) -> list[str]:
    return [name.strip().strip("\"'") for name in _NAME.findall(path)]


def _indexed(names: list[str], counts: Counter[str], *, is_list: bool) -> str:
    path = ""
    for position, name in enumerate(names):
        path = f"{path}.{name}" if path else name
        if is_list and position == len(names) - 1:
            counts[path] += 1
        if counts[path]:
            path = f"{path}[{counts[path] - 1}]"
    return path
