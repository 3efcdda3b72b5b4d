"""An `AppSpec` as fly.toml text and as JSON, in flyctl's canonical form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from attrs import define, field

from score_flyio.flytoml.gotext import plain_decimal
from score_flyio.flytoml.schema import Key, Shape, keys_of
from score_flyio.flytoml.spec import AppSpec

Format = Literal["toml", "json"]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
_NEEDS_ESCAPES: Final = re.compile(r"['\x00-\x1f\x7f]")
_ESCAPES: Final = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}
_ESCAPED: Final = re.compile(r'[\x00-\x1f\x7f"\\]')


def to_json(spec: AppSpec) -> dict[str, Any]:
    """The config as flyctl's JSON: names of the file, durations as text, zero values left out.

    `auto_stop_machines` is a bool or `"suspend"`.
    """
    return dict(_entries(spec, "json"))


def to_toml(spec: AppSpec) -> str:
    """The config as flyctl writes it, without the comment block at the top."""
    writer = _Writer()
    writer.table((), dict(_entries(spec, "toml")))
    return "".join(f"{line}\n" for line in writer.lines)


def to_workload_toml(spec: AppSpec) -> str:
    """The app of a Score workload, in the form that the older tool for Score writes.

    Differs from `to_toml` where that form says more: the one size of all groups is a `[vm]` table,
    and an empty file has its empty `raw_value`.
    """
    entries = dict(_entries(spec, "toml"))
    if len(spec.vm) == 1:
        (entries["vm"],) = entries["vm"]
    for file in entries.get("files", ()):
        if file.keys() <= {"guest_path", "processes"}:
            file["raw_value"] = ""
    writer = _Writer()
    writer.table((), entries)
    return "".join(f"{line}\n" for line in writer.lines)


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
            return {name: _plain(shape.item, value[name], fmt) for name in sorted(value)}
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
    """Numbers of unknown meaning are floats in TOML."""
    if isinstance(value, dict):
        return {name: _floats(value[name]) for name in sorted(value) if value[name] is not None}
    if isinstance(value, list | tuple):
        return [_floats(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@define(eq=False, repr=False)
class _Writer:
    lines: list[str] = field(factory=list)
    after_header: bool = True

    def table(self, path: tuple[str, ...], entries: dict[str, Any]) -> None:
        """Scalars and lists of scalars first, then the sub-tables."""
        indent = "  " * len(path)
        for name, value in entries.items():
            if not _is_table(value) and not _is_table_list(value):
                self.lines.append(f"{indent}{_key_text(name)} = {_value_text(value)}")
                self.after_header = False
        for name, value in entries.items():
            below = (*path, name)
            if _is_table(value):
                self._header(below, "[", "]")
                self.table(below, value)
            elif _is_table_list(value):
                for item in value:
                    self._header(below, "[[", "]]")
                    self.table(below, item)

    def _header(self, path: tuple[str, ...], opening: str, closing: str) -> None:
        if not self.after_header:
            self.lines.append("")
        indent = "  " * (len(path) - 1)
        self.lines.append(f"{indent}{opening}{'.'.join(map(_key_text, path))}{closing}")
        self.after_header = True


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_table_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_table, value))


def _key_text(name: str) -> str:
    return name if _BARE.match(name) else _string(name)


def _value_text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case float():
            return _float(value)
        case dict():
            pairs = (f"{_key_text(name)} = {_value_text(item)}" for name, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(_value_text, value))}]"
        case _:
            return str(value)


def _string(text: str) -> str:
    if not _NEEDS_ESCAPES.search(text):
        return f"'{text}'"
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return f"\\{_ESCAPES[char]}" if char in _ESCAPES else f"\\u{ord(char):04X}"


def _float(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    text = plain_decimal(value)
    return text if "." in text else f"{text}.0"
