"""JSON Schema of events as `to_json` writes them, made from their classes."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, get_args, get_type_hints

import attrs

from score_flyio.base.json_schema import DIALECT, Definitions, without_none
from score_flyio.events.base import Event, Scope

VERSION: Final = 1
"""Raised when a member changes its meaning or goes; new kinds and members do not count."""


def json_schema() -> dict[str, Any]:
    """The schema of one event, such as a line of `--events FILE.jsonl`."""
    return {
        "$schema": DIALECT,
        "title": f"An event of score-flyio, version {VERSION}",
        "type": "object",
        "required": ["kind", "seq", "at"],
        "oneOf": [_of(cls) for cls in _kinds()],
    }


def _kinds() -> list[type[Event]]:
    """Every class of events."""
    from score_flyio import events

    found = (getattr(events, name) for name in dir(events))
    kinds = {c for c in found if isinstance(c, type) and issubclass(c, Event) and c is not Event}
    return sorted(kinds, key=lambda cls: cls.kind)


def _of(cls: type[Event]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    own = [field for field in attrs.fields(cls) if field.name != "scope"]
    # None is never written: such members are left out
    members = {field.name: Definitions().of(without_none(hints[field.name])) for field in own}
    always = [f.name for f in own if NoneType not in get_args(hints[f.name])]
    return {
        "title": cls.__name__,
        "description": (cls.__doc__ or "").strip(),
        "properties": {
            "kind": {"const": cls.kind},
            **{field.name: {"type": "string"} for field in attrs.fields(Scope)},
            **members,
        },
        "required": ["kind", *always],
        "additionalProperties": False,
    }
