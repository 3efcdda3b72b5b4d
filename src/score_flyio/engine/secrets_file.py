"""The secrets file: `NAME=VALUE` lines, written for `fly secrets import` and read as it reads them.

flyctl drops spaces before a value, and one pair of double quotes around it. Newer versions drop
single quotes too, and take the first `#` for a comment if an even number of double quotes stands
before it. A value that starts with three double quotes goes on until a line that ends with three.
What is written is read the same by both generations; what no line can carry to both is refused:

| Value | Line |
|---|---|
| ordinary text | `NAME=VALUE`, nothing escaped |
| with `#`, in quotes, or with space at an end | `NAME="VALUE"` |
| several lines | three double quotes, the lines, three double quotes |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, Problem, UsageError

CODE: Final = "secrets_file_unwritable"
_FENCE: Final = '"""'
_LONGEST_LINE: Final = 65_535
"""Bytes; flyctl stops reading at a longer line without a word."""


def render(secrets: Mapping[str, Secret]) -> str:
    """The lines for some secrets by name. Raises ConfigError for what no line can carry."""
    return "".join(f"{_entry(name, secrets[name].reveal())}\n" for name in sorted(secrets))


def render_all(secrets: Mapping[str, Mapping[str, Secret]]) -> str:
    """The lines for several apps (app name → secrets), each under a comment with its name.

    Raises ConfigError, also where two apps have different values for one name.
    """
    filled = {app: values for app, values in sorted(secrets.items()) if values}
    if len(filled) == 1:
        return render(next(iter(filled.values())))
    owners: dict[str, str] = {}
    for app, values in filled.items():
        for name, value in values.items():
            owner = owners.setdefault(name, app)
            if filled[owner][name] != value:
                raise ConfigError(
                    f"secret {name} has different values for the apps {owner} and {app}, but the "
                    "secrets file has one line for it",
                    hint="generate these workloads one by one, each with its own secrets file",
                    code=CODE,
                )
    return "\n".join(f"# {app}\n{render(values)}" for app, values in filled.items())


def _entry(name: str, value: str) -> str:
    if _wrong_name(name) or name.startswith("#") or set(name) & set("=\n\r"):
        raise _unwritable(name, "its name cannot stand in such a file")
    text = f"{name}={_quoted(name, value)}"
    if max(len(line.encode()) for line in text.split("\n")) > _LONGEST_LINE:
        raise _unwritable(name, f"a line of it is longer than {_LONGEST_LINE} bytes")
    return text


def _quoted(name: str, value: str) -> str:
    if "\n" in value:
        lines = value.split("\n")
        if any(line.endswith((_FENCE, "\r")) for line in lines[:-1]):
            raise _unwritable(name, 'a line of it ends with """ or a carriage return')
        if _without_comment(_FENCE + lines[0]) != _FENCE + lines[0]:
            raise _unwritable(name, "flyctl would take a part of it for a comment")
        return f"{_FENCE}{value}{_FENCE}"
    in_quotes = value[:1] in {"'", '"'} and value[:1] == value[-1:]
    if not in_quotes and value == value.strip() == _without_comment(value) and value[:3] != _FENCE:
        return value
    text = f'"{value}"'
    if text.startswith(_FENCE):
        raise _unwritable(name, "it begins with double quotes in a way that flyctl cannot read")
    if _without_comment(text) != text:
        raise _unwritable(name, "flyctl would take a part of it for a comment")
    return text


def _unwritable(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"secret {name} cannot be written to a secrets file: {why}",
        hint="use score-flyio deploy, which sets secrets without a file",
        code=CODE,
    )


def parse(text: str) -> list[tuple[str, Secret]]:
    """The secrets of a text as flyctl reads it; the last of several with one name counts.

    Raises UsageError with all lines that are wrong, but never their values.
    """
    pairs = []
    problems: list[Problem] = []
    lines = iter(enumerate(text.split("\n"), start=1))
    for number, ended in lines:
        line = ended.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, rest = line.partition("=")
        wrong = _wrong_name(name.strip()) if separator else "it is not NAME=VALUE"
        value = _value(rest.lstrip(" "), lines)
        if wrong or value is None:
            message = wrong or f"the value of {name.strip()} has no closing quotes"
            problem = Problem(file="stdin", line=number, message=message, code="secrets_unreadable")
            problems.append(problem)
        else:
            pairs.append((name.strip(), Secret(value)))
    if problems:
        raise UsageError(problems=problems, hint="nothing was set", code="secrets_unreadable")
    return pairs


def _wrong_name(name: str) -> str | None:
    """Why a name is surely a mistake, though flyctl would set such a variable."""
    if not name:
        return "the name is missing"
    if any(char.isspace() or char in "\"'\ufeff" for char in name):
        return "the name has a space, a quote or a byte order mark in it"
    return None


def _value(text: str, lines: Iterator[tuple[int, str]]) -> str | None:
    """One value, which may go on in further lines; None when its end is missing."""
    value = _without_comment(text)
    if value.startswith(_FENCE):
        parts = [value.removeprefix(_FENCE)]
        while not parts[-1].endswith(_FENCE):
            following = next(lines, None)
            if following is None:
                return None
            parts.append(following[1].removesuffix("\r"))
        return "\n".join(parts).removesuffix(_FENCE)
    if value in {"'", '"'}:
        return None
    if value[:1] in {"'", '"'} and value[:1] == value[-1:]:
        return value[1:-1]
    return value


def _without_comment(text: str) -> str:
    """The text up to its first `#`, if an even number of double quotes stands before that."""
    before, _, _ = text.partition("#")
    return text if before == text or before.count('"') % 2 else before.rstrip(" ")
