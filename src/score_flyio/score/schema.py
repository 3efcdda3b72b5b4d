"""Checks a document against the Score schema and says what is wrong in words.

Only the keywords that `schema_data.py` uses are known; tests compare the outcome with a general
JSON Schema validator, whose import alone would take longer than everything else `generate` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.place import Path, json_pointer, shown
from score_flyio.errors import Problem
from score_flyio.score.schema_data import SCHEMA, Schema

_TYPES: Final[dict[str, tuple[type, str]]] = {
    "object": (dict, "a map"),
    "array": (list, "a list"),
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
}


def broken(
    rule: str, path: Path, message: str, hint: str | None = None, subject: str | None = None
) -> Problem:
    """The problem of a broken rule of Score, such as `required` or `before_cycle`, at a path."""
    return Problem(
        code="schema_invalid", kind=rule, path=path, message=message, hint=hint, subject=subject
    )


def broken_at(
    rule: str, path: Path, message: str, hint: str | None = None, subject: str | None = None
) -> Problem:
    """The same, with the place as a JSON pointer: keys of lists and odd keys have no other."""
    pointer = json_pointer(path)
    where = f" [{pointer}]" if pointer else ""
    return broken(rule, path, message + where, hint, subject)


def schema_findings(document: Any) -> list[Problem]:
    """Everything in which a document (deprecated forms upgraded) does not match the schema."""
    return list(_check(document, SCHEMA, ()))


def _check(value: Any, schema: Schema, path: Path) -> Iterator[Problem]:
    if "type" in schema and not _has_type(value, schema["type"]):
        yield _wrong_type(value, schema, path)
    elif isinstance(value, str):
        yield from _check_text(value, schema, path)
    elif isinstance(value, dict):
        yield from _check_map(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(item, schema.get("items", {}), (*path, index))
    elif "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        keyword = "minimum" if value < schema["minimum"] else "maximum"
        message = f"{value} is not from {schema['minimum']} to {schema['maximum']}"
        yield broken_at(keyword, path, message)


def _has_type(value: Any, name: str) -> bool:
    if name != "integer":
        return isinstance(value, _TYPES[name][0])
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool)


def _wrong_type(value: Any, schema: Schema, path: Path) -> Problem:
    _, expected = _TYPES[schema["type"]]
    hint = None
    if value is None:
        hint = "leave the key out, or give it a value"
    elif expected == "text" and isinstance(value, (bool, int, float)):
        hint = "put it in quotes"
    elif expected == "a whole number" and isinstance(value, str):
        hint = "write it without quotes"
    return broken_at("type", path, f"must be {expected}, not {shown(value)}", hint)


def _check_text(value: str, schema: Schema, path: Path) -> Iterator[Problem]:
    keyword = _text_keyword(value, schema)
    if keyword == "enum":
        words = " or ".join(schema["enum"])
        word = next((word for word in schema["enum"] if word.lower() == value.lower()), None)
        hint = f"write {word}" if word else None
        yield broken_at(keyword, path, f"{shown(value)} is not {words}", hint)
    elif keyword:
        expected = schema.get("description", "text that is not empty")
        yield broken_at(keyword, path, f"{shown(value)} is not {expected}")


def _text_keyword(value: str, schema: Schema) -> str | None:
    if "enum" in schema and value not in schema["enum"]:
        return "enum"
    if len(value) < schema.get("minLength", 0):
        return "minLength"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        return "maxLength"
    if "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        return "pattern"
    return None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""The pattern by ECMA rules: `$` is the very end, `\d` is ASCII."""
    end = r"\Z" if pattern.endswith("$") else ""
    return re.compile(pattern.removesuffix("$") + end, re.ASCII)


def _check_map(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[Problem]:
    for key in schema.get("required", ()):
        if key not in value:
            yield broken_at("required", path, f'"{key}" is missing', f'add "{key}"', subject=key)
    if len(value) < schema.get("minProperties", 0):
        yield broken_at("minProperties", path, "must have at least one entry")
    yield from _check_alternatives(value, schema, path)
    known: dict[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, item in value.items():
        if "propertyNames" in schema:
            yield from _check_key(key, schema["propertyNames"], path)
        if key in known:
            yield from _check(item, known[key], (*path, key))
        elif others is False:
            yield _unknown(key, known, path)
        else:
            yield from _check(item, others, (*path, key))


def _check_alternatives(value: dict[str, Any], schema: Schema, path: Path) -> Iterator[Problem]:
    """`anyOf` and `oneOf`, whose members are always a single required key here."""
    for keyword, most in (("anyOf", None), ("oneOf", 1)):
        if keyword not in schema:
            continue
        names = [name for member in schema[keyword] for name in member["required"]]
        present = [name for name in names if name in value]
        if not present or (most is not None and len(present) > most):
            listed = f"{', '.join(names[:-1])} or {names[-1]}"
            amount = "exactly one of" if most else "at least one of"
            message = f"must have {amount} {listed}"
            yield broken_at(keyword, path, f"{message}, not {' and '.join(present) or 'none'}")


def _check_key(key: str, schema: Schema, path: Path) -> Iterator[Problem]:
    keyword = _text_keyword(key, schema)
    if keyword:
        place = (*path, key) if key else path
        message = f"the name {shown(key)} is not {schema['description']}"
        yield broken_at(keyword, place, message, subject=key)


def _unknown(key: str, known: dict[str, Schema], path: Path) -> Problem:
    if key == "properties" and len(path) == 2 and path[0] == "resources":
        hint = "Score has it no more: take it out, and give inputs as params"
        return broken_at("additionalProperties", path, f'unknown key "{key}"', hint, subject=key)
    near = nearest(key, known)
    meant = did_you_mean(near and shown(near))
    hint = meant or f"known here: {', '.join(sorted(known))}"
    return broken_at("additionalProperties", path, f'unknown key "{key}"', hint, subject=key)
