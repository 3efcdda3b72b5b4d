"""Which operation a request is for, by its method and path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from attrs import frozen

from fly_machines.operations import OPERATIONS, Operation

UNKNOWN: Final = Operation(id="Unknown", method="", path="", tag="", success=())
"""Stands for a request that no operation serves."""


@frozen
class Match:
    """An operation and the parts of the path that it names."""

    operation: Operation
    path: dict[str, str]


class Routes:
    """Operations by the shape of their paths."""

    def __init__(self, operations: Iterable[Operation], prefix: str = "") -> None:
        self.prefix = prefix
        self._by_shape: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
        for operation in operations:
            segments = tuple(operation.path.strip("/").split("/"))
            shape = (operation.method, len(segments))
            self._by_shape.setdefault(shape, []).append((segments, operation))
        for candidates in self._by_shape.values():
            # A word beats a parameter: `/certificates/acme` before `/certificates/{hostname}`.
            candidates.sort(key=lambda item: [part.startswith("{") for part in item[0]])

    def match(self, method: str, path: str) -> Match | None:
        """The operation of a request, its path as sent (still percent-encoded)."""
        if not path.startswith(self.prefix + "/"):
            return None
        given = [unquote(part) for part in path.removeprefix(self.prefix).strip("/").split("/")]
        for segments, operation in self._by_shape.get((method, len(given)), ()):
            found = _parameters(segments, given)
            if found is not None:
                return Match(operation, found)
        return None


def _parameters(segments: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for pattern, value in zip(segments, given, strict=True):
        if pattern.startswith("{"):
            if not value:
                return None
            found[pattern.strip("{}")] = value
        elif pattern != value:
            return None
    return found


def machines_routes() -> Routes:
    """The routes of the Machines API."""
    return Routes(OPERATIONS, prefix="/v1")
