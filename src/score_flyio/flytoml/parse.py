"""fly.toml, fly.json and fly.yaml text as a tree of plain values."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

from attrs import Factory, frozen

from score_flyio.flytoml.findings import Finding
from score_flyio.flytoml.gotext import well_formed
from score_flyio.flytoml.legacy import Tree
from score_flyio.flytoml.toml_text import TomlError, load_toml

FileFormat = Literal["toml", "json", "yaml"]


@frozen
class Parsed:
    """The tree of a file, and on which lines its keys stand."""

    tree: Tree
    lines: dict[str, int] = Factory(dict)
    """Path of a key, such as `mounts[1].initial_size` → line, from 1; of TOML only."""


def parse(text: str, form: FileFormat) -> Parsed | Finding:
    """The tree, or why there is none."""
    try:
        match form:
            case "toml":
                return _toml(text)
            case "json":
                return _json(text)
            case "yaml":
                return _yaml(text)
    except RecursionError:
        return _syntax(form.upper(), "lists and tables are nested too deeply", None)


def _toml(text: str) -> Parsed | Finding:
    try:
        found = load_toml(text)
    except TomlError as error:
        return _syntax("TOML", str(error), error.line)
    return Parsed(found.tree, found.lines)


def _json(text: str) -> Parsed | Finding:
    try:
        tree = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_constant)
    except json.JSONDecodeError as error:
        return _syntax("JSON", error.msg, error.lineno)
    except _NoNumberError as error:
        return _syntax("JSON", str(error), None)
    return _table("JSON", tree)


class _NoNumberError(ValueError):
    pass


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _NoNumberError(f"the number {text[:40]} is too large")
    return number


def _constant(word: str) -> float:
    raise _NoNumberError(f"{word} is no number")


def _yaml(text: str) -> Parsed | Finding:
    import yaml

    from score_flyio.flytoml.yaml_text import load_yaml

    try:
        return _table("YAML", load_yaml(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return _syntax("YAML", error.problem or "cannot be read", mark.line + 1 if mark else 1)
    except (yaml.YAMLError, ValueError) as error:
        return _syntax("YAML", str(error), 1)


def _table(language: str, value: Any) -> Parsed | Finding:
    if value is None:
        return Parsed({})
    if not isinstance(value, dict):
        return _syntax(language, "the file is not a table", 1)
    return Parsed(well_formed(value))


def _syntax(language: str, message: str, line: int | None) -> Finding:
    return Finding(
        stage="parse",
        code="toml_syntax",
        place="",
        message=f"not {language}: {message}",
        hint=f"correct the {language} syntax there",
        line=line,
    )
