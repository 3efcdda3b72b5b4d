"""Whether an answer has the shape of the recorded one, by the rules of the transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define

from tests.conformance.flyctl.placeholders import Bindings, is_placeholder

AT_REST = {"started", "stopped", "suspended", "failed", "destroyed"}
KEYS = ("id", "name", "slug", "code", "hostname", "ip", "address")
"""By what the elements of an array are told apart."""
CUT = {"events", "regions", "Regions"}
"""Arrays that were recorded in part."""
EMPTY: tuple[Any, ...] = (None, "", [], {})


@define
class Comparison:
    """One answer against the recorded one; `strict` where arrays must be equally long."""

    bindings: Bindings
    strict: bool

    def problems(self, recorded: Any, actual: Any, place: str = "$") -> Iterator[str]:
        """What is wrong with the answer, each with its place."""
        if recorded in EMPTY and (actual is None or recorded is None):
            return
        if is_placeholder(recorded):
            wrong = self.bindings.meet(recorded, actual)
            if wrong:
                yield f"{place}: {wrong}"
        elif kind(recorded) != kind(actual):
            yield f"{place}: {kind(actual)} {actual!r} instead of {kind(recorded)} {recorded!r}"
        elif isinstance(recorded, dict):
            yield from self._object(recorded, actual, place)
        elif isinstance(recorded, list):
            yield from self._array(recorded, actual, place)

    def _object(self, recorded: Any, actual: Any, place: str) -> Iterator[str]:
        skipped: set[str] = set()
        if is_machine(recorded):
            skipped = {"events", "checks"}
            if recorded["state"] in AT_REST:
                skipped = {"events"}
                yield from self._state(recorded, actual, place)
                yield from self._events(recorded, actual, place)
        for name, value in recorded.items():
            if name in skipped:
                continue
            if name not in actual:
                if value not in EMPTY:
                    yield f"{place}.{name}: missing"
                continue
            yield from self.problems(value, actual[name], f"{place}.{name}")

    def _state(self, recorded: Any, actual: Any, place: str) -> Iterator[str]:
        if actual.get("state") != recorded["state"]:
            yield f"{place}.state: {actual.get('state')!r} instead of {recorded['state']!r}"
        passing = {c["name"] for c in recorded.get("checks") or () if c["status"] == "passing"}
        now = {c.get("name"): c.get("status") for c in actual.get("checks") or ()}
        if passing and len([s for s in now.values() if s == "passing"]) < len(passing):
            yield f"{place}.checks: {now} instead of {len(passing)} passing"

    def _events(self, recorded: Any, actual: Any, place: str) -> Iterator[str]:
        wanted, found = recorded.get("events") or [], actual.get("events") or []
        if not wanted:
            return
        if not found:
            yield f"{place}.events: empty"
            return
        for name in ("type", "status", "source", "timestamp"):
            if not found[0].get(name):
                yield f"{place}.events[0].{name}: missing"
        exits = [event for event in wanted if event["type"] == "exit" and event.get("request")]
        if exits:
            mine = [e for e in found if e["type"] == "exit" and e.get("request")]
            missing = [m for m in mine if not keys(exits[0]["request"]) - keys(m["request"])]
            if not missing:
                yield f"{place}.events: no exit event with {sorted(keys(exits[0]['request']))}"

    def _array(self, recorded: list[Any], actual: list[Any], place: str) -> Iterator[str]:
        cut = place.rpartition(".")[2] in CUT
        if self.strict and not cut and len(recorded) != len(actual):
            yield f"{place}: {len(actual)} elements instead of {len(recorded)}"
            return
        left = list(actual)
        for number, value in enumerate(recorded):
            index = self._counterpart(value, left)
            if index is None:
                yield f"{place}[{number}]: nothing there for {value!r}"
                return
            yield from self.problems(value, left.pop(index), f"{place}[{number}]")

    def _counterpart(self, recorded: Any, left: list[Any]) -> int | None:
        """The place of the element that a recorded one stands for."""
        if isinstance(recorded, dict):
            for key in KEYS:
                if not self.bindings.known(recorded.get(key)):
                    continue
                wanted = self.bindings.fill(recorded[key])
                for index, element in enumerate(left):
                    if isinstance(element, dict) and element.get(key) == wanted:
                        return index
                if is_placeholder(recorded[key]):
                    return None
        return 0 if left else None


def kind(value: Any) -> str:
    """The JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = {str: "text", list: "array", dict: "object", type(None): "null"}
    return names[type(value)]


def is_machine(value: Any) -> bool:
    return isinstance(value, dict) and "instance_id" in value and "state" in value


def keys(value: Any, place: str = "") -> set[str]:
    """The paths of all keys."""
    if not isinstance(value, dict):
        return set()
    return {
        path
        for name, below in value.items()
        if below not in EMPTY
        for path in {f"{place}.{name}", *keys(below, f"{place}.{name}")}
    }
