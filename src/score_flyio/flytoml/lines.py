"""On which line of a fly.toml, fly.json or fly.yaml a key stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from score_flyio.base.place import Path
from score_flyio.base.record import Factory, define

_INDEX: Final = re.compile(r"\[[0-9]+\]")


def line_for(lines: dict[str, int], path: Path) -> int | None:
    """The line of a key, or of the nearest table around it.

    A path without indexes is that of any item of a list, as long as only one has the key.
    """
    for length in range(len(path), 0, -1):
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[:length]]
        place = "".join(parts).removeprefix(".")
        for spelling in (place, _INDEX.sub("", place)):
            if spelling in lines:
                return lines[spelling]
        if any(isinstance(part, int) for part in path[:length]):
            continue
        found = [line for name, line in lines.items() if _INDEX.sub("", name) == place]
        if len(found) == 1:
            return found[0]
    return None


def key_lines(text: str) -> dict[str, int]:
    """Path of a key of TOML, such as `mounts[1].initial_size` → line of its statement, from 1."""
    index = _Index()
    for line, statement, tree in _statements(text):
        if statement.lstrip().startswith("["):
            index.header(tree, line, listed=statement.lstrip().startswith("[["))
        else:
            index.keys(tree, index.table, line)
    return index.lines


def yaml_lines(text: str) -> dict[str, int]:
    """The same of YAML, and of JSON, which is nearly always YAML too."""
    from score_flyio.yaml.reader import YamlError, read_yaml

    try:
        within = [("", read_yaml(text).root)]
    except YamlError:
        return {}
    lines: dict[str, int] = {}
    while within:
        path, node = within.pop()
        below = node.children or ()
        if isinstance(below, dict):
            found = [(f"{path}.{name}" if path else name, *entry) for name, entry in below.items()]
        else:
            found = [(f"{path}[{n}]", item.line, item) for n, item in enumerate(below)]
        lines |= {place: line for place, line, _ in found}
        within += [(place, inner) for place, _, inner in found]
    return lines


def unread_line(text: str) -> int:
    """The line, from 1, of the first statement that is not TOML on its own."""
    after = 1
    for line, statement, _ in _statements(text):
        after = line + statement.count("\n") + 1
    return after


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line, text and tree of each statement: the fewest lines that are TOML on their own."""
    import tomli

    lines, start = text.replace("\r\n", "\n").split("\n"), 0
    for end in range(1, len(lines) + 1):
        statement = "\n".join(lines[start:end])
        try:
            tree = tomli.loads(statement)
        except (ValueError, RecursionError):
            continue
        yield start + 1, statement, tree
        start = end


@define
class _Index:
    lines: dict[str, int] = Factory(dict)
    table: str = ""
    """Path of the table that the last header opened."""
    counts: dict[str, int] = Factory(dict)
    """Path of a list of tables → how many `[[…]]` headers it has had."""

    def header(self, tree: dict[str, Any], line: int, *, listed: bool) -> None:
        self.table, below = "", tree
        while isinstance(below, dict) and below:
            ((name, below),) = below.items()
            self.table = f"{self.table}.{name}" if self.table else name
            if listed and not isinstance(below, dict):
                self.counts[self.table] = self.counts.get(self.table, 0) + 1
            self.lines.setdefault(self.table, line)
            if self.table in self.counts:
                self.table += f"[{self.counts[self.table] - 1}]"
                self.lines.setdefault(self.table, line)

    def keys(self, value: Any, path: str, line: int) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                below = f"{path}.{name}" if path else name
                self.lines.setdefault(below, line)
                self.keys(item, below, line)
        elif isinstance(value, list):
            for position, item in enumerate(value):
                below = f"{path}[{position}]"
                self.lines.setdefault(below, line)
                self.keys(item, below, line)
