"""The part of a document that has the right form: the other rules hold for it in the same run."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from score_flyio.base.place import Path, value_at
from score_flyio.base.record import frozen
from score_flyio.errors import Problem
from score_flyio.score.placeholders import split_reference
from score_flyio.score.schema import schema_findings

_SOMETHING: Final = "unknown"
_STAND_INS: Final[dict[Path, Any]] = {
    ("apiVersion",): "score.dev/v1b1",
    ("metadata",): {"name": _SOMETHING},
    ("metadata", "name"): _SOMETHING,
    ("containers",): {_SOMETHING: {"image": _SOMETHING}},
    ("containers", "*"): {"image": _SOMETHING},
    ("containers", "*", "image"): _SOMETHING,
    ("resources", "*"): {"type": _SOMETHING},
}
"""What stands for values that others refer to, or that no document can be without."""
_OF_MEMBERS: Final = frozenset({"required", "additionalProperties"})
"""Kinds of problems of a member that is missing or unknown: their subject is no name of a thing."""


@frozen(kw_only=True)
class UsablePart:
    """A document with whatever has the wrong form taken out or replaced."""

    document: dict[str, Any]
    broken: frozenset[Path] = frozenset()
    """The places of what was wrong."""

    def is_to_blame(self, problem: Problem) -> bool:
        """Whether a problem may come of what was taken out: then it is none of the document."""
        path = problem.path
        if any(place == path[: len(place)] for place in self.broken):
            return True
        match problem.kind or problem.code:
            case "before_without_probe":
                return any(
                    place[:2] == path[:2] and str(place[2]).endswith("Probe")
                    for place in self.broken
                    if len(place) > 2
                )
            case "unknown_resource" | "before_unknown":
                names = split_reference(problem.subject or "")
                return any(place[-1] in names for place in self.broken if len(place) == 2)
            case "resource_quantity_invalid":
                return any(
                    place[0] == "containers" and place[2:3] in ((), ("resources",))
                    for place in self.broken
                )
            case "unknown_key":
                read = split_reference(problem.subject or "")
                return any(place == read[: len(place)] for place in self.broken)
            case "annotation_unknown" | "unknown_port":
                return any(place[0] == "service" for place in self.broken)
            case _:
                return False


def usable_part(document: Any, found: Sequence[Problem]) -> UsablePart:
    """The part that is left without what is wrong with the form of a document."""
    left: Any = copy.deepcopy(document) if isinstance(document, dict) else {}
    broken: set[Path] = set()
    while found:
        for problem in found:
            if place := _place(problem):
                broken.add(place)
                _take_out(left, place, None if _bad_name(problem) else _stand_in(place))
        found = schema_findings(left)
    return UsablePart(document=left, broken=frozenset(broken))


def _place(problem: Problem) -> Path:
    """What has to go: items of lists go with their list."""
    path = problem.path
    if problem.subject is not None:
        inside = (*path, problem.subject)
        if _bad_name(problem):
            path = path if problem.subject else inside  # an empty name is told without it
        elif problem.kind == "additionalProperties" or _stand_in(inside) is not None:
            path = inside
    for length, part in enumerate(path):
        if isinstance(part, int):
            return path[:length]
    return path


def _bad_name(problem: Problem) -> bool:
    """Whether it is the key that is wrong, not its value."""
    named = problem.subject is not None and problem.kind not in _OF_MEMBERS
    return problem.kind == "key_type" or named


def _stand_in(path: Path) -> Any:
    general = (*path[:1], "*", *path[2:]) if path[0] in ("containers", "resources") else path
    return _STAND_INS.get(general[:1] if len(path) == 1 else general)


def _take_out(document: dict[str, Any], place: Path, stand_in: Any) -> None:
    *way, last = place
    parent = value_at(document, way)
    if isinstance(parent, dict):
        parent.pop(last, None)
        if stand_in is not None:
            parent[last] = copy.deepcopy(stand_in)
