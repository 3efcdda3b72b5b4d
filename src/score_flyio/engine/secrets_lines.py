"""Reads `NAME=VALUE` lines as `fly secrets import` does: what `secrets_file` writes, read back.

Empty lines and those that start with `#` do not count. Spaces before a value are dropped, and one
pair of double quotes around it. A value that starts with three double quotes goes on until a line
that ends with three.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from score_flyio.base.secret import Secret
from score_flyio.errors import Problem, UsageError

_FENCE: Final = '"""'


def parse_lines(text: str) -> dict[str, Secret | None]:
    """The secrets of a text; the last of several lines with one name counts.

    Raises UsageError with all lines that are wrong, but never their values.
    """
    values: dict[str, Secret | None] = {}
    problems: list[Problem] = []
    lines = iter(enumerate(text.split("\n"), start=1))
    for number, line in lines:
        stripped = line.removesuffix("\r").lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        name, separator, value = stripped.partition("=")
        name = name.strip()
        if not separator or not (name.isascii() and name.isidentifier()):
            problems.append(_wrong(number, "is not NAME=VALUE"))
            continue
        whole = _value(value.lstrip(" "), lines)
        if whole is None:
            problems.append(_wrong(number, f"the value of {name} never ends with {_FENCE}"))
            continue
        values[name] = Secret(whole)
    if problems:
        raise UsageError(problems=problems, hint="nothing was set", code="secrets_unreadable")
    return values


def _value(text: str, lines: Iterator[tuple[int, str]]) -> str | None:
    """One value; None when its end is missing."""
    if text.startswith(_FENCE):
        return _over_lines(text.removeprefix(_FENCE), lines)
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    return text


def _over_lines(first: str, lines: Iterator[tuple[int, str]]) -> str | None:
    parts = [first.removesuffix("\r")]
    while not parts[-1].endswith(_FENCE):
        following = next(lines, None)
        if following is None:
            return None
        parts.append(following[1].removesuffix("\r"))
    return "\n".join(parts).removesuffix(_FENCE)


def _wrong(number: int, what: str) -> Problem:
    return Problem(file="stdin", line=number, message=what, code="secrets_unreadable")
