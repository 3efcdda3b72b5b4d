"""Overrides of a Score document: a whole map, or single properties `PATH=VALUE`.

The document given is never changed; what changes is copied on the way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from score_flyio.base.place import kind_of
from score_flyio.errors import ScoreFileError
from score_flyio.yaml.reader import YamlError, read_yaml

_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}")
_ESCAPE: Final = re.compile(r"\\([.\\])|(\.)")


class OverrideError(ScoreFileError):
    """An override property that cannot be applied."""

    code = "override_property_invalid"

    def __init__(self, kind: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        """`empty_path`, `not_a_container`, `bad_index`, `index_out_of_range`, `no_equals` or
        `bad_yaml`."""


def merge_map(document: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The document with the overrides laid over it.

    Maps merge key by key, null removes, everything else replaces. A null inside a map that is new
    stays.
    """
    merged = dict(document)
    for key, value in overrides.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge_map(merged[key], value)
        else:
            merged[key] = value
    return merged


def parse_property(text: str) -> tuple[tuple[str, ...], Any]:
    """`PATH=VALUE` → path and value. VALUE is YAML; empty or null is None, which removes.

    Raises OverrideError: no `=`, or VALUE is not YAML.
    """
    path, equals, value = text.partition("=")
    if not equals:
        hint = "write PATH=VALUE, or PATH= to remove"
        raise OverrideError("no_equals", f'override property "{text}" has no "="', hint=hint)
    try:
        document = read_yaml(value)
    except YamlError as error:
        message = f'override property "{text}": the value is not YAML: {error.message}'
        raise OverrideError("bad_yaml", message, hint="put text in quotes") from error
    if document.odd_keys or document.second_document:
        message = (
            f'override property "{text}": the value is not a single YAML document with text as keys'
        )
        raise OverrideError("bad_yaml", message, hint="put text in quotes")
    return parse_path(path), document.value


def parse_path(text: str) -> tuple[str, ...]:
    r"""Splits at dots; `\.` is a dot, `\\` a backslash, other backslashes stay."""
    parts = [""]
    end = 0
    for match in _ESCAPE.finditer(text):
        parts[-1] += text[end : match.start()] + (match[1] or "")
        if match[2]:
            parts.append("")
        end = match.end()
    parts[-1] += text[end:]
    return tuple(parts)


def apply_property(document: Any, path: Sequence[str], value: Any) -> Any:
    """The document with one property set, or removed where the value is None.

    Maps that are missing on the way are made; removing below a missing one changes nothing. In a
    list the part is an index; -1 appends.

        Raises OverrideError: the path does not fit the document.
    """
    if not path:
        raise OverrideError("empty_path", "an override property needs a path")
    return _apply(document, tuple(path), value, 0)


def _apply(node: Any, path: tuple[str, ...], value: Any, depth: int) -> Any:
    if isinstance(node, dict):
        return _apply_to_map(node, path, value, depth)
    if isinstance(node, list):
        return _apply_to_list(node, path, value, depth)
    message = (
        f'override property "{written(path)}": "{written(path[:depth])}" is {kind_of(node)}, '
        "not a map or list"
    )
    raise OverrideError("not_a_container", message, hint="set that property as a whole")


def _apply_to_map(
    node: dict[str, Any], path: tuple[str, ...], value: Any, depth: int
) -> dict[str, Any]:
    key, changed = path[depth], dict(node)
    if depth < len(path) - 1:
        if key in node or value is not None:
            changed[key] = _apply(node.get(key, {}), path, value, depth + 1)
    elif value is None:
        changed.pop(key, None)
    else:
        changed[key] = value
    return changed


def _apply_to_list(node: list[Any], path: tuple[str, ...], value: Any, depth: int) -> list[Any]:
    last = depth == len(path) - 1
    index = _index(path, depth)
    if last and value is not None and index == -1:
        return [*node, value]
    if not 0 <= index < len(node):
        message = (
            f'override property "{written(path)}": index {path[depth]} is out of range, '
            f"the list has {len(node)} items"
        )
        raise OverrideError("index_out_of_range", message, hint="-1 as the last part appends")
    if not last:
        return [*node[:index], _apply(node[index], path, value, depth + 1), *node[index + 1 :]]
    return [*node[:index], *([] if value is None else [value]), *node[index + 1 :]]


def _index(path: tuple[str, ...], depth: int) -> int:
    if not _INDEX.fullmatch(path[depth]):
        message = f'override property "{written(path)}": "{path[depth]}" is not a list index'
        raise OverrideError("bad_index", message, hint="use 0, 1, …, or -1 to append")
    return int(path[depth])


def written(path: Sequence[str]) -> str:
    """The path of a property as one text; undoes `parse_path`."""
    return ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in path)
