"""Applies an OpenAPI Overlay (version 1.0) to a document.

Only the JSONPath forms that `corrections.yaml` needs are known: `$`, `.name`, `.*`, `['name']` and
`[?@.name=='value']`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)"
    r"|\.(?P<all>\*)"
    r"|\['(?P<quoted>[^']+)'\]"
    r"|\[\?@\.(?P<member>\w+)=='(?P<value>[^']*)'\]"
)


class OverlayError(ValueError):
    """An action that cannot be applied."""


def apply_overlay(document: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """A copy of the document with all actions applied in order.

    Raises OverlayError for a target that is not understood or finds nothing.
    """
    result = copy.deepcopy(document)
    for action in overlay["actions"]:
        _apply(result, action)
    return result


def _apply(document: Any, action: dict[str, Any]) -> None:
    target = action["target"]
    steps = list(_steps(target))
    if not steps:
        _merge(document, action["update"])
        return
    nodes = [document]
    for step in steps[:-1]:
        nodes = [node[key] for node in nodes for key in _keys(node, step, target)]
    for node in nodes:
        for key in _keys(node, steps[-1], target):
            if action.get("remove"):
                del node[key]
            else:
                _merge(node[key], action["update"])


def _steps(target: str) -> Iterator[re.Match[str]]:
    if not target.startswith("$"):
        raise OverlayError(f"{target}: a target starts with $")
    at = 1
    while at < len(target):
        match = STEP.match(target, at)
        if match is None:
            raise OverlayError(f"{target}: cannot read {target[at:]!r}")
        yield match
        at = match.end()


def _keys(node: Any, step: re.Match[str], target: str) -> list[Any]:
    if step["all"]:
        return list(node)
    if step["member"]:
        for index, item in enumerate(node):
            if item.get(step["member"]) == step["value"]:
                return [index]
    else:
        name = step["name"] or step["quoted"]
        if isinstance(node, dict) and name in node:
            return [name]
    raise OverlayError(f"{target}: {step[0]} finds nothing")


def _merge(target: Any, update: Any) -> None:
    if isinstance(target, list):
        target.append(copy.deepcopy(update))
        return
    for key, value in update.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            target[key] = copy.deepcopy(value)
