"""An `AppSpec` as fly.toml text and as JSON, in flyctl's canonical form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from score_flyio.flytoml.schema import Key, Shape, keys_of
from score_flyio.flytoml.spec import AppSpec

Format = Literal["toml", "json"]

_WIDTH: Final = 100
"""Characters of a line of tomli-w."""
_INDENT: Final = re.compile(rf"^(?: {{{_WIDTH}}})+", re.MULTILINE)


def to_json(section: object) -> dict[str, Any]:
    """A config, or a section of it, as flyctl's JSON: durations as text, zero values left out.

    `auto_stop_machines` is a bool or `"suspend"`.
    """
    return dict(_entries(section, "json"))


def to_toml(spec: AppSpec) -> str:
    """The config in the order of flyctl, without its comment block at the top."""
    return _text(dict(_entries(spec, "toml")))


def to_workload_toml(spec: AppSpec) -> str:
    """The app of a Score workload, in the form that the older tool for Score writes.

    Differs from `to_toml` where that form says more: the one size of all groups is a `[vm]` table.
    """
    entries = dict(_entries(spec, "toml"))
    if len(spec.vm) == 1:
        (entries["vm"],) = entries["vm"]
    return _text(entries)


def _entries(section: Any, fmt: Format) -> Iterable[tuple[str, Any]]:
    kind: type = type(section)
    for key in keys_of(kind).values():
        value = getattr(section, key.attribute)
        if _given(key, value, fmt):
            yield key.name, _plain(key.shape, value, fmt)


def _given(key: Key, value: Any, fmt: Format) -> bool:
    if value is None:
        return False
    if key.optional or fmt in key.written:
        return True
    if key.shape.kind == "section":
        return any(True for _ in _entries(value, fmt))
    return bool(value)


def _plain(shape: Shape, value: Any, fmt: Format) -> Any:
    match shape.kind:
        case "section":
            return dict(_entries(value, fmt))
        case "list":
            assert shape.item is not None
            return [_plain(shape.item, item, fmt) for item in value]
        case "map":
            assert shape.item is not None
            given = sorted(name for name in value if fmt == "json" or value[name] is not None)
            return {name: _plain(shape.item, value[name], fmt) for name in given}
        case "duration":
            return value.text()
        case "float":
            return float(value)
        case "auto_stop" if fmt == "json" and value != "suspend":
            return value == "stop"
        case "any" if fmt == "toml":
            return _floats(value)
        case _:
            return value


def _floats(value: Any) -> Any:
    """Numbers of unknown meaning are floats in TOML, and null is nothing there."""
    if isinstance(value, dict):
        return {name: _floats(value[name]) for name in sorted(value) if value[name] is not None}
    if isinstance(value, list | tuple):
        return [_floats(item) for item in value if item is not None]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _text(entries: dict[str, Any]) -> str:
    """The document as TOML, every list of tables under its `[[…]]` headers.

    tomli-w writes short tables of a list inline, and so before other tables, unless indented they
    are longer than its lines.
    """
    import tomli_w

    text = tomli_w.dumps(entries, indent=_WIDTH)
    return _INDENT.sub(lambda found: "  " * (len(found[0]) // _WIDTH), text)
