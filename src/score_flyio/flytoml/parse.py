"""fly.toml, fly.json and fly.yaml text as a tree of plain values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, Literal

from score_flyio.base.place import leaves, place_text, too_deep
from score_flyio.errors import Problem
from score_flyio.flytoml.findings import finding
from score_flyio.flytoml.gotext import well_formed
from score_flyio.flytoml.lines import key_lines, line_for, unread_line

Tree = dict[str, Any]
FileFormat = Literal["toml", "json", "yaml"]

_UNCLOSED: Final = (r"character '\n'", 'Expected "\'"', "Expected \"'''\"")
"""How messages of the reader end about texts without their closing quotes."""
_TUPLE: Final = re.compile(r"\('.*'\)|\('.*',\)")
_PART: Final = re.compile(r"'([^']*)'")


def parse(text: str, form: FileFormat) -> Tree | Problem:
    """The tree, or why there is none."""
    try:
        parsed = _READERS[form](text)
        if not too_deep(parsed):
            return parsed
    except RecursionError:
        pass
    return _syntax(form.upper(), "lists and tables are nested too deeply", None)


def _toml(text: str) -> Tree | Problem:
    """TOML as flyctl's reader takes it: no numbers beyond 64 bits."""
    import tomli

    if text.startswith("\ufeff"):
        return _syntax("TOML", "the file begins with a byte order mark", 1)
    try:
        tree = tomli.loads(text, parse_float=_toml_float)
    except tomli.TOMLDecodeError as error:
        line = unread_line(text) if error.msg.startswith('Expected "') else error.lineno
        return _syntax("TOML", _told(error.msg, text.split("\n")[line - 1]), line)
    except _NoNumberError as error:
        line = text.count("\n", 0, text.find(error.number)) + 1
        return _syntax("TOML", str(error), line)
    except ValueError:
        return _syntax("TOML", "a whole number has too many digits", unread_line(text))
    for path, value in leaves(tree):
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            found = line_for(key_lines(text), path)
            return _syntax("TOML", f"the number of {place_text(path)} is too large", found)
    return tree


def _told(message: str, source: str) -> str:
    """A message of the reader, which spells keys as Python does, beside the line it is about."""
    if message.endswith(_UNCLOSED):
        message = "the text is not closed"
    message = _TUPLE.sub(lambda match: ".".join(_PART.findall(match[0])), message)
    message = message[:1].lower() + message[1:]
    return f"{message}: {source.strip()[:80]}" if source.strip() else message


def _toml_float(text: str) -> float:
    return float(text) if text.endswith(("inf", "nan")) else _number(text)


def _json(text: str) -> Tree | Problem:
    try:
        tree = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_constant)
    except json.JSONDecodeError as error:
        return _syntax("JSON", error.msg, error.lineno)
    except _NoNumberError as error:
        return _syntax("JSON", str(error), None)
    return _table("JSON", tree)


class _NoNumberError(ValueError):
    def __init__(self, number: str, reason: str) -> None:
        super().__init__(f"{number[:40]} is {reason}")
        self.number = number


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _NoNumberError(text, "too large a number")
    return number


def _constant(word: str) -> float:
    raise _NoNumberError(word, "not a number")


def _yaml(text: str) -> Tree | Problem:
    from score_flyio.yaml.reader import YamlError, read_yaml

    try:
        return _table("YAML", read_yaml(text).value)
    except YamlError as error:
        return _syntax("YAML", error.message, error.line or 1)


def _table(language: str, value: Any) -> Tree | Problem:
    if value is None:
        return {}
    if not isinstance(value, dict):
        return _syntax(language, "the file is not a table", 1)
    tree: Tree = well_formed(value)
    return tree


def _syntax(language: str, message: str, line: int | None) -> Problem:
    hint = f"correct the {language} syntax there"
    return finding("parse", "", "toml_syntax", f"not {language}: {message}", hint, line=line)


_READERS: Final[dict[FileFormat, Callable[[str], Tree | Problem]]] = {
    "toml": _toml,
    "json": _json,
    "yaml": _yaml,
}
