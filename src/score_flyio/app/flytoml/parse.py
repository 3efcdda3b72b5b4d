"""fly.toml, fly.json and fly.yaml text as a tree of plain values."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, Final, Literal

from score_flyio.app.flytoml.findings import Finding
from score_flyio.app.flytoml.legacy import Tree

FileFormat = Literal["toml", "json", "yaml"]

_LINE: Final = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)")


def parse(text: str, form: FileFormat) -> Tree | Finding:
    """The tree, or why there is none."""
    match form:
        case "toml":
            return _toml(text)
        case "json":
            return _json(text)
        case "yaml":
            return _yaml(text)


def _toml(text: str) -> Tree | Finding:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _LINE.search(str(error))
        last = len(text.splitlines())
        line = int(match["line"]) if match and match["line"] else last
        return _syntax("TOML", _LINE.sub("", str(error)), line)
    if (number := _too_large(tree)) is not None:
        return _syntax("TOML", f"{number} does not fit in 64 bits", None)
    return tree


def _too_large(value: Any) -> int | None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := _too_large(item)) is not None), None)


def _json(text: str) -> Tree | Finding:
    try:
        return _table("JSON", json.loads(text, parse_int=float))
    except json.JSONDecodeError as error:
        return _syntax("JSON", error.msg, error.lineno)


def _yaml(text: str) -> Tree | Finding:
    import yaml

    from score_flyio.app.flytoml.yaml_text import load_yaml

    try:
        return _table("YAML", _text_keys(load_yaml(text)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return _syntax("YAML", error.problem or "cannot be read", mark.line + 1 if mark else 1)
    except yaml.YAMLError as error:
        return _syntax("YAML", str(error), 1)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list) else value


def _table(language: str, value: Any) -> Tree | Finding:
    if value is None:
        return {}
    return value if isinstance(value, dict) else _syntax(language, "the file is not a table", 1)


def _syntax(language: str, message: str, line: int | None) -> Finding:
    return Finding(
        stage="parse",
        code="toml_syntax",
        place="",
        message=f"not {language}: {message}",
        hint=f"correct the {language} syntax there",
        line=line,
    )
