"""Markdown of data: tables, and texts that stay texts."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; each cell is Markdown of its own."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: str) -> str:
    """A text as code within a line; within a cell of a table, too."""
    if "|" in text:
        return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""


def plain(text: str) -> str:
    """A text of the code, in which only backquotes mean anything."""
    parts = text.split("`")
    shown = [_escaped(part) if number % 2 == 0 else part for number, part in enumerate(parts)]
    return "`".join(shown)


def docstring(thing: object) -> str:
    """What a thing says of itself; empty where that is what its base says."""
    own = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return inspect.cleandoc(own or "")


def summary(thing: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(docstring(thing).partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _escaped(text: str) -> str:
    for char in "\\*_<>[]#":
        text = text.replace(char, f"\\{char}" if char not in "<>" else f"&{_ENTITY[char]};")
    return text


_ENTITY = {"<": "lt", ">": "gt"}
