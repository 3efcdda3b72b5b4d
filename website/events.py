"""The page of events: each kind with its members."""

from __future__ import annotations

import attrs

from score_flyio import events
from score_flyio.events import Event, Scope
from score_flyio.events.schema import VERSION
from website.markdown import code, docstring, plain, table
from website.source import texts_of_fields

_OF_ALL = ("seq", "at", "scope")


def kinds() -> dict[str, type[Event]]:
    """Every class of events by its kind, in the order of the code."""
    found = [getattr(events, name) for name in dir(events)]
    classes = [c for c in found if isinstance(c, type) and issubclass(c, Event) and c is not Event]
    return {cls.kind: cls for cls in classes}


def page() -> str:
    """What each event says."""
    lines = [
        "# Events",
        (
            "`--events FILE.jsonl` writes each of them as one line of JSON, as it happens; a "
            "program gets them as objects of `score_flyio.events`. Members without a value "
            "are left out. No event has a secret value."
        ),
        (
            "[events.schema.json](events.schema.json) is the JSON Schema of a line; programs get "
            f"it from `score_flyio.events.schema`. It is version {VERSION}: new kinds and members "
            "may be added within a version, and nothing else changes."
        ),
        "## Members of all events",
        table(
            ["Member", "Type", ""],
            [
                ["`kind`", "`str`", "One of those below."],
                *_fields(Event, {"seq", "at"}),
                *_fields(Scope, {field.name for field in attrs.fields(Scope)}),
            ],
        ),
        "The last six say what the event is about; those that apply are there.",
    ]
    for kind, cls in kinds().items():
        lines += [f"## {kind}", f"{plain(docstring(cls))} Class {code(cls.__name__)}."]
        own = {field.name for field in attrs.fields(cls)} - set(_OF_ALL)
        if own:
            lines.append(table(["Member", "Type", ""], _fields(cls, own)))
    return "\n\n".join(lines) + "\n"


def _fields(cls: type[attrs.AttrsInstance], names: set[str]) -> list[list[str]]:
    texts = texts_of_fields(cls)
    return [
        [code(field.name), code(str(field.type)), plain(texts.get(field.name, ""))]
        for field in attrs.fields(cls)
        if field.name in names
    ]
