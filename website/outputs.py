"""The page of what `--json` prints: the forms of each command, and the members of each document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from score_flyio.base.json_schema import Form, members_of, written
from score_flyio.cli.exit_codes import Failed
from score_flyio.cli.schemas import FORMS, VERSION, schema_of
from website.markdown import code, docstring, plain, table
from website.source import texts_of_fields

SCHEMAS = {
    f"reference/schemas/{name.replace(' ', '-')}.schema.json": partial(schema_of, name)
    for name in FORMS
}
"""The JSON Schema of each command, by its place in the site."""
_PLAIN = {str: "text", int: "number", float: "number", bool: "true or false", NoneType: "null"}


def page() -> str:
    """What programs can rely on."""
    lines = [
        "# JSON output",
        (
            "With `--json` a command prints one JSON document on stdout, and nothing else there. "
            "Each command has a JSON Schema: `score-flyio schema COMMAND` prints it, and the table "
            f"below links to it. They are version {VERSION}: new members and forms may be added "
            "within a version, and nothing else changes."
        ),
        (
            f"A command that fails prints {_form(Failed)} in place of its document; `problems` is "
            "a list wherever it stands. Each line of `--events` is one of the [events](events.md)."
        ),
        "## Commands",
        table(["Command", "Prints", "Schema"], map(_row, FORMS)),
        "## Documents",
    ]
    for cls in classes():
        lines += [
            f"### {_name(cls)}",
            plain(docstring(cls)),
            table(["Member", "Type", ""], _members(cls)),
        ]
    return "\n\n".join(lines) + "\n"


def classes() -> list[type[Any]]:
    """Every class of which a document is made, by name."""
    found: dict[str, type[Any]] = {}
    waiting = [cls for forms in FORMS.values() for form in forms for cls in _classes(form)]
    waiting.append(Failed)
    while waiting:
        cls = waiting.pop()
        if cls.__name__ not in found:
            found[cls.__name__] = cls
            waiting += [c for hint, _ in members_of(cls).values() for c in _classes(hint)]
    return [found[name] for name in sorted(found)]


def _classes(hint: Form) -> Iterator[type[Any]]:
    if isinstance(hint, type) and attrs.has(hint):
        yield written(hint)
    for part in hint if isinstance(hint, tuple) else get_args(hint):
        yield from _classes(part)


def _row(name: str) -> list[str]:
    schema = f"schemas/{name.replace(' ', '-')}.schema.json"
    return [code(name), " or ".join(map(_form, FORMS[name])), f"[schema]({schema})"]


def _form(form: Form) -> str:
    """A form with links to its classes."""
    if isinstance(form, tuple):
        return " with ".join(map(_form, form))
    origin: Any = get_origin(form)
    parts: Sequence[Any] = get_args(form)
    if origin is Literal:
        return ", ".join(code(str(part)) for part in parts)
    if origin in {UnionType, Union}:
        return " or ".join(map(_form, parts))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of {_form(parts[1])}"
    if isinstance(origin, type):
        return f"list of {_form(parts[0])}"
    if form in _PLAIN or form is Any:
        return _PLAIN.get(form, "anything")
    cls = written(form)
    return f"[{_name(cls)}](#{_anchor(cls)})"


def _members(cls: type[Any]) -> Iterator[list[str]]:
    texts = {name.rstrip("_"): text for name, text in texts_of_fields(cls).items()}
    for name, (hint, always) in members_of(cls).items():
        text = plain(texts.get(name, ""))
        yield [code(name), _form(hint), text if always else f"{text} It may be missing.".strip()]


def _name(cls: type[Any]) -> str:
    return cls.__name__.removesuffix("Document")


def _anchor(cls: type[Any]) -> str:
    return re.sub(r"[^a-z0-9]", "", _name(cls).lower())
