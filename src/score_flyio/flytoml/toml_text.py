"""TOML 1.1 as the tree of plain values that flyctl's reader makes of it.

The standard library reads TOML 1.0 only, cuts fractions of seconds and does not tell where a key
stands; flyctl's reader keeps them, and messages have to name the line.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, Literal, NoReturn

from attrs import Factory, define, field, frozen

from score_flyio.flytoml.toml_scalars import LONE_TOKEN, TOKEN, scalar, unescaped

_DEEPEST: Final = 100
"""Levels of nested lists and inline tables; no fly.toml needs more than a few."""

_BLANKS: Final = re.compile(r"[ \t]*")
_COMMENT: Final = re.compile(r"#[\t\x20-\x7e\x80-\U0010ffff]*")
_NEWLINE: Final = re.compile(r"\r?\n")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED: Final = {
    '"': re.compile(r'"((?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\.)*)"'),
    "'": re.compile(r"'([\t\x20-\x26\x28-\x7e\x80-\U0010ffff]*)'"),
}
_LONG: Final = {
    '"""': re.compile(
        r'"""(?:\r?\n)?((?:[\t\n\x20\x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\r\n|\\\r?\n|\\.'
        r'|"{1,2}(?!"))*)"""("{0,2})'
    ),
    "'''": re.compile(
        r"'''(?:\r?\n)?((?:[\t\n\x20-\x26\x28-\x7e\x80-\U0010ffff]|\r\n|'{1,2}(?!'))*)'''('{0,2})"
    ),
}


class TomlError(ValueError):
    """The text is not TOML."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line
        """From 1."""


@frozen
class TomlText:
    """What a text says, and where."""

    tree: dict[str, Any]
    lines: dict[str, int]
    """Path of a key, such as `mounts[1].initial_size` → line, from 1."""


def load_toml(text: str) -> TomlText:
    """Read a text.

    Raises:
        TomlError: it is not TOML.
    """
    if text.startswith("\ufeff"):
        raise TomlError("the file begins with a byte order mark, which TOML does not know", 1)
    reader = _Reader(text)
    reader.document()
    return TomlText(reader.root, reader.lines)


class _Table(dict[str, Any]):
    """A table that remembers what may still be added to it."""

    made_by: Literal["parent", "header", "dotted_key", "value"] = "parent"


class _Tables(list[_Table]):
    """A list made by `[[…]]` headers."""


def _table(made_by: Literal["parent", "header", "dotted_key", "value"]) -> _Table:
    table = _Table()
    table.made_by = made_by
    return table


@define
class _Reader:
    text: str
    at: int = 0
    root: _Table = field(factory=lambda: _table("header"))
    lines: dict[str, int] = Factory(dict)

    def document(self) -> None:
        current, path = self.root, ""
        while True:
            self.skip(_BLANKS)
            if self.text.startswith("[", self.at):
                current, path = self.header()
            elif self.at < len(self.text) and self.text[self.at] not in "#\r\n":
                self.entry(current, path)
            self.skip(_BLANKS)
            self.skip(_COMMENT)
            if self.at == len(self.text):
                return
            if not self.skip(_NEWLINE):
                self.fail("expected the end of the line")

    def header(self) -> tuple[_Table, str]:
        opening = "[[" if self.text.startswith("[[", self.at) else "["
        self.at += len(opening)
        names = self.names()
        self.expect("]]" if opening == "[[" else "]")
        table, path = self.root, ""
        for name in names[:-1]:
            table, path = self.step(table, path, name)
        last, path = names[-1], f"{path}.{names[-1]}" if path else names[-1]
        if opening == "[[":
            tables = table.setdefault(last, _Tables())
            if not isinstance(tables, _Tables):
                self.fail(f"{path} is already there, and no list of [[{path}]]")
            tables.append(_table("header"))
            found, path = tables[-1], f"{path}[{len(tables) - 1}]"
        else:
            found = table.setdefault(last, _table("parent"))
            if not isinstance(found, _Table) or found.made_by != "parent":
                self.fail(f"{path} is already there")
            found.made_by = "header"
        self.mark(path)
        return found, path

    def step(self, table: _Table, path: str, name: str) -> tuple[_Table, str]:
        """The table of that name, on the way to the one that a header names."""
        path = f"{path}.{name}" if path else name
        below = table.setdefault(name, _table("parent"))
        if isinstance(below, _Tables):
            return below[-1], f"{path}[{len(below) - 1}]"
        if not isinstance(below, _Table) or below.made_by == "value":
            self.fail(f"{path} is already there as a value")
        return below, path

    def entry(self, table: _Table, path: str, depth: int = 0) -> None:
        """`names = value`, in a table whose path is given."""
        names = self.names()
        for position, name in enumerate(names, start=1):
            path = f"{path}.{name}" if path else name
            self.mark(path)
            if position == len(names):
                break
            below = table.setdefault(name, _table("dotted_key"))
            if not isinstance(below, _Table) or below.made_by != "dotted_key":
                self.fail(f"{path} is already there")
            table = below
        if names[-1] in table:
            self.fail(f"{path} is already there")
        self.expect("=")
        self.skip(_BLANKS)
        table[names[-1]] = self.value(path, depth)

    def names(self) -> list[str]:
        names = []
        while True:
            self.skip(_BLANKS)
            names.append(self.name())
            self.skip(_BLANKS)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def name(self) -> str:
        if match := _BARE.match(self.text, self.at):
            self.at = match.end()
            return match.group()
        quote = self.text[self.at : self.at + 1]
        if quote not in _QUOTED or not quote:
            self.fail("expected a key")
        return self.quoted(quote)

    def value(self, path: str, depth: int) -> Any:
        if depth > _DEEPEST:
            self.fail("lists and tables are nested too deeply")
        start = self.text[self.at : self.at + 1]
        if start == "[":
            return self.array(path, depth + 1)
        if start == "{":
            return self.inline_table(path, depth + 1)
        if start and start in _QUOTED:
            return self.string(start)
        match = TOKEN.match(self.text, self.at) or LONE_TOKEN.match(self.text, self.at)
        if match is None:
            self.fail("expected a value")
        found = scalar(match)
        if found is None or (isinstance(found, int) and not -(2**63) <= found < 2**63):
            self.fail(f"{match.group()!r} is no value that TOML knows")
        if isinstance(found, float) and math.isinf(found) and "inf" not in match.group():
            self.fail(f"{match.group()} is too large")
        self.at = match.end()
        return found

    def string(self, quote: str) -> str:
        long = quote * 3
        if not self.text.startswith(long, self.at):
            return self.quoted(quote)
        match = _LONG[long].match(self.text, self.at)
        if match is None:
            self.fail("the text is not closed, or has a character that must be escaped")
        return self.content(match, match[1] + match[2], quote)

    def quoted(self, quote: str) -> str:
        match = _QUOTED[quote].match(self.text, self.at)
        if match is None:
            self.fail("the text is not closed, or has a character that must be escaped")
        return self.content(match, match[1], quote)

    def content(self, match: re.Match[str], inside: str, quote: str) -> str:
        found = unescaped(inside) if quote == '"' else inside
        if found is None:
            self.fail("the text has an escape that TOML does not know")
        self.at = match.end()
        return found

    def array(self, path: str, depth: int) -> list[Any]:
        self.at += 1
        items: list[Any] = []
        while True:
            self.skip_lines()
            if self.closed("]"):
                return items
            items.append(self.value(f"{path}[{len(items)}]", depth))
            self.skip_lines()
            if self.closed("]"):
                return items
            self.expect(",")

    def inline_table(self, path: str, depth: int) -> _Table:
        self.at += 1
        table = _table("value")
        while True:
            self.skip_lines()
            if self.closed("}"):
                return table
            self.entry(table, path, depth)
            self.skip_lines()
            if self.closed("}"):
                return table
            self.expect(",")

    def closed(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += found
        return found

    def expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.at):
            self.fail(f"expected {sign!r}")
        self.at += len(sign)

    def skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match is not None

    def skip_lines(self) -> None:
        self.skip(_BLANKS)
        while self.skip(_COMMENT) or self.skip(_NEWLINE):
            self.skip(_BLANKS)

    def mark(self, path: str) -> None:
        self.lines.setdefault(path, self.line)

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def fail(self, message: str) -> NoReturn:
        found = self.text[self.at : self.at + 1]
        where = f"; found {found!r}" if found else "; the file ends there"
        raise TomlError(f"{message}{where}", self.line)
