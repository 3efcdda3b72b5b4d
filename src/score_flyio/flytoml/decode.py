"""A normalised tree as an `AppSpec`.

Follows the rules by which Go decodes JSON, because that is what flyctl does: keys match without
regard to case, unknown keys are skipped, a whole float passes for an integer, dates are texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Final

from score_flyio.base.place import leaves, place_text
from score_flyio.base.record import define, evolve, field
from score_flyio.errors import Problem
from score_flyio.flytoml.findings import unfit
from score_flyio.flytoml.gotext import Time, int64, time_text
from score_flyio.flytoml.parse import Tree
from score_flyio.flytoml.schema import Key, Shape, keys_of
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.values import Duration

_STOPS: Final = {False: "off", True: "stop"}
_ROOTFS: Final = ("", "never", "restart", "always")
_FATAL: Final = frozenset({"duration", "auto_stop", "persist_rootfs"})


def decode(tree: Tree) -> tuple[AppSpec | None, tuple[Problem, ...]]:
    """The spec, or `None` and every value that does not fit; the one that flyctl names first.

    Go reports an unreadable duration or word at once, and a value of a wrong type only at the end.
    """
    work = _Decoder()
    if endless := _endless(tree):
        return None, (endless,)
    spec = work.section(AppSpec, tree, "")
    if not work.findings:
        return spec, ()
    ordered = sorted(work.findings, key=lambda found: not found[0])
    return None, tuple(found for _, found in ordered)


def _endless(tree: Tree) -> Problem | None:
    """The first number that is none, or infinite, even of an unknown key: JSON cannot have it."""
    found = [
        (place_text(path), value)
        for path, value in leaves(tree)
        if isinstance(value, float) and not math.isfinite(value)
    ]
    return unfit(*min(found), "a finite number") if found else None


class _Misfit(Exception):
    def __init__(self, value: Any, expected: str, code: str = "wrong_type") -> None:
        super().__init__(expected)
        self.value = value
        self.expected = expected
        self.code = code


@define
class _Decoder:
    findings: list[tuple[bool, Problem]] = field(factory=list)

    def section(self, section: type, raw: Tree, place: str, present: Any = None) -> Any:
        """A section; `present` is what an earlier spelling of its key has made of it."""
        by_name = keys_of(section)
        folded = {name.lower(): key for name, key in by_name.items()}
        values: dict[str, Any] = {}
        made = section() if present is None else present
        for name in sorted(raw):
            key = by_name.get(name) or folded.get(name.lower())
            if key is None:
                continue
            here = f"{place}.{key.name}" if place else key.name
            before = values.get(key.attribute, getattr(made, key.attribute))
            try:
                values[key.attribute] = self._key(key, raw[name], here, before)
            except _Misfit as misfit:
                self._record(misfit, here, key.shape.kind in _FATAL)
        return evolve(made, **values)

    def _key(self, key: Key, raw: Any, place: str, present: Any) -> Any:
        if raw is None and key.optional:
            return None
        if raw is None and key.shape.item is None:
            return present
        value = self.value(key.shape, raw, place, present)
        if key.shape.kind == "int" and not _fits(raw, value, key):
            raise _Misfit(raw, f"a whole number from {key.minimum} to {key.maximum}")
        return value

    def value(self, shape: Shape, raw: Any, place: str, present: Any = None) -> Any:
        if raw is None:
            return shape.section() if shape.section is not None else _ZEROS.get(shape.kind)
        if shape.section is not None:
            if not isinstance(raw, dict):
                raise _Misfit(raw, "a table")
            return self.section(shape.section, raw, place, present)
        if shape.kind == "list":
            return self._list(shape, raw, place, present or ())
        if shape.kind == "map":
            return self._map(shape, raw, place, present or {})
        return _SCALARS[shape.kind](raw)

    def _list(
        self, shape: Shape, raw: Any, place: str, present: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        assert shape.item is not None
        of_tables = shape.item.kind == "section"
        if not isinstance(raw, list):
            raise _Misfit(raw, "a list of tables" if of_tables else "a list of strings")
        return tuple(
            self.value(shape.item, item, f"{place}[{index}]" if of_tables else place, before)
            for index, (item, before) in enumerate(zip_longest(raw, present[: len(raw)]))
        )

    def _map(self, shape: Shape, raw: Any, place: str, present: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise _Misfit(raw, "a table")
        assert shape.item is not None
        values = dict(present)
        for name in sorted(raw):
            here = f"{place}.{name}"
            try:
                values[name] = self.value(shape.item, raw[name], here)
            except _Misfit as misfit:
                self._record(misfit, here, fatal=False)
        return values

    def _record(self, misfit: _Misfit, place: str, fatal: bool) -> None:  # noqa: FBT001 - private
        self.findings.append((fatal, unfit(place, misfit.value, misfit.expected, misfit.code)))


def _fits(raw: float, value: int, key: Key) -> bool:
    """Whether the key's type holds the number; one without signs has no `-0.0` either."""
    signed = key.minimum < 0 or math.copysign(1, raw) > 0
    return signed and key.minimum <= value <= key.maximum


def _text(raw: Any) -> str:
    if isinstance(raw, Time):
        return time_text(raw)
    if not isinstance(raw, str):
        raise _Misfit(raw, "a text in quotes")
    return raw


def _int(raw: Any) -> int:
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    if whole or (isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e21):
        return int(raw)
    raise _Misfit(raw, "a whole number without quotes")


def _float(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise _Misfit(raw, "a number without quotes")
    return float(raw)


def _bool(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise _Misfit(raw, "true or false without quotes")
    return raw


def _duration(raw: Any) -> Duration:
    expected = "a duration such as 1m30s"
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise _Misfit(raw, expected)
    try:
        return Duration.parse(raw) if isinstance(raw, str) else Duration(int64(float(raw)))
    except ValueError:
        raise _Misfit(raw, expected, "invalid_duration") from None


def _auto_stop(raw: Any) -> str:
    if isinstance(raw, bool):
        return _STOPS[raw]
    if not isinstance(raw, str):
        raise _Misfit(raw, '"off", "stop" or "suspend"')
    if raw not in {"off", "stop", "suspend"}:
        raise _Misfit(raw, '"off", "stop" or "suspend"', "unsupported_value")
    return raw


def _persist_rootfs(raw: Any) -> str:
    if isinstance(raw, str):
        if raw not in {*_ROOTFS, "none"}:
            raise _Misfit(raw, '"none", "never", "restart" or "always"', "unsupported_value")
        return "" if raw == "none" else raw
    number = _int(raw)
    if not 0 <= number < len(_ROOTFS):
        raise _Misfit(raw, "a number from 0 to 3", "unsupported_value")
    return _ROOTFS[number]


def _any(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: _any(raw[name]) for name in sorted(raw)}
    if isinstance(raw, list):
        return [_any(item) for item in raw]
    if isinstance(raw, Time):
        return time_text(raw)
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    return int(float(raw)) if whole else raw


_ZEROS: Final = {"text": "", "int": 0, "float": 0.0, "bool": False, "list": (), "map": {}}
"""What a null leaves."""
_SCALARS: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "duration": _duration,
    "auto_stop": _auto_stop,
    "persist_rootfs": _persist_rootfs,
    "any": _any,
}
