"""Which operation a request is for, by its method and path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from attrs import frozen

from fly_machines.operations import OPERATIONS

UNKNOWN: Final = "Unknown"
"""Stands for the operation of a request that none serves."""


@frozen
class Match:
    """The id of an operation and the parts of the path that it names."""

    operation: str
    path: dict[str, str]


class Routes:
    """Operations by the shape of their paths, from the method, the path and the id of each."""

    def __init__(self, operations: Iterable[tuple[str, str, str]], prefix: str = "") -> None:
        self.prefix = prefix
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], str]]] = {}
        for method, path, operation in operations:
            segments = path.strip("/").split("/")
            self._by_shape.setdefault((method, len(segments)), []).append((segments, operation))
        for candidates in self._by_shape.values():
            # A word beats a parameter: `/certificates/acme` before `/certificates/{hostname}`.
            candidates.sort(key=lambda item: [part.startswith("{") for part in item[0]])

    def match(self, method: str, path: str) -> Match:
        """The operation of a request, its path as sent (still percent-encoded)."""
        if not path.startswith(self.prefix + "/"):
            return Match(UNKNOWN, {})
        given = [unquote(part) for part in path.removeprefix(self.prefix).strip("/").split("/")]
        for segments, operation in self._by_shape.get((method, len(given)), ()):
            found = _parameters(segments, given)
            if found is not None:
                return Match(operation, found)
        return Match(UNKNOWN, {})


def _parameters(segments: list[str], given: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for pattern, value in zip(segments, given, strict=True):
        if pattern.startswith("{"):
            if not value:
                return None
            found[pattern.strip("{}")] = value
        elif pattern != value:
            return None
    return found


MACHINES: Final = Routes(((each.method, each.path, each.id) for each in OPERATIONS), prefix="/v1")
"""The routes of the Machines API."""
