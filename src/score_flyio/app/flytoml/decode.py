"""A normalised tree as an `AppSpec`.

Follows the rules by which Go decodes JSON, because that is what flyctl does: keys match without
regard to case, unknown keys are skipped, a whole float passes for an integer, dates are texts.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field

from score_flyio.app.flytoml.findings import Finding
from score_flyio.app.flytoml.gotext import iso_text
from score_flyio.app.flytoml.legacy import Tree, describe
from score_flyio.app.flytoml.schema import Key, Shape, keys_of
from score_flyio.app.spec import AppSpec
from score_flyio.app.values import Duration

_STOPS: Final = {False: "off", True: "stop"}
_ROOTFS: Final = ("", "never", "restart", "always")
_FATAL: Final = frozenset({"duration", "auto_stop", "persist_rootfs"})


def decode(tree: Tree) -> tuple[AppSpec | None, tuple[Finding, ...]]:
    """The spec, or `None` and every value that does not fit; the one that flyctl names first.

    Go reports an unreadable duration or word at once, and a value of a wrong type only at the end.
    """
    work = _Decoder()
    spec = work.section(AppSpec, tree, "")
    if not work.findings:
        return spec, ()
    ordered = sorted(work.findings, key=lambda found: not found[0])
    return None, tuple(finding for _, finding in ordered)


class _Misfit(Exception):
    def __init__(self, value: Any, expected: str, code: str = "wrong_type") -> None:
        super().__init__(expected)
        self.value = value
        self.expected = expected
        self.code = code


@define
class _Decoder:
    findings: list[tuple[bool, Finding]] = field(factory=list)

    def section(self, section: type, raw: Tree, place: str) -> Any:
        by_name = keys_of(section)
        folded = {name.lower(): key for name, key in by_name.items()}
        values: dict[str, Any] = {}
        for name, value in _byte_order(raw, folded):
            key = by_name.get(name) or folded.get(name.lower())
            if key is None or value is None:
                continue
            here = f"{place}.{key.name}" if place else key.name
            try:
                values[key.attribute] = self.value(key.shape, value, here, key)
            except _Misfit as misfit:
                self._record(misfit, here, key.shape.kind in _FATAL)
        return section(**values)

    def value(self, shape: Shape, raw: Any, place: str, key: Key | None = None) -> Any:
        if shape.section is not None:
            if not isinstance(raw, dict):
                raise _Misfit(raw, "a table")
            return self.section(shape.section, raw, place)
        if shape.kind == "list":
            return self._list(shape, raw, place)
        if shape.kind == "map":
            return self._map(shape, raw, place)
        value = _SCALARS[shape.kind](raw)
        if key is not None and shape.kind == "int" and not key.minimum <= value <= key.maximum:
            raise _Misfit(raw, f"a whole number from {key.minimum} to {key.maximum}")
        return value

    def _list(self, shape: Shape, raw: Any, place: str) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise _Misfit(raw, "a list of tables" if _of_tables(shape) else "a list of texts")
        assert shape.item is not None
        indexed = _of_tables(shape)
        return tuple(
            self.value(shape.item, {} if item is None and indexed else item,
                       f"{place}[{index}]" if indexed else place)
            for index, item in enumerate(raw)
        )  # fmt: skip

    def _map(self, shape: Shape, raw: Any, place: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise _Misfit(raw, "a table")
        assert shape.item is not None
        values: dict[str, Any] = {}
        for name in sorted(raw):
            here = f"{place}.{name}"
            try:
                values[name] = self.value(shape.item, raw[name], here)
            except _Misfit as misfit:
                self._record(misfit, here, fatal=False)
        return values

    def _record(self, misfit: _Misfit, place: str, fatal: bool) -> None:  # noqa: FBT001 - private
        finding = Finding(
            stage="decode",
            code=misfit.code,
            place=place,
            message=f"expected {misfit.expected}, found {describe(misfit.value)}",
            hint=f"write it as {misfit.expected}",
        )
        self.findings.append((fatal, finding))


def _of_tables(shape: Shape) -> bool:
    return shape.item is not None and shape.item.kind == "section"


def _byte_order(raw: Tree, folded: dict[str, Key]) -> list[tuple[str, Any]]:
    """Keys in the order of application; tables that differ only in case are merged."""
    merged: dict[str, Any] = {}
    for name in sorted(raw):
        key = folded.get(name.lower())
        tables = key is not None and key.shape.kind in {"section", "map"}
        earlier = next((other for other in merged if other.lower() == name.lower()), None)
        if tables and earlier and isinstance(merged[earlier], dict) and isinstance(raw[name], dict):
            merged[earlier] = merged[earlier] | raw[name]
        else:
            merged[name] = raw[name]
    return list(merged.items())


def _text(raw: Any) -> str:
    if isinstance(raw, dt.date | dt.time):
        return iso_text(raw)
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
        return Duration.parse(raw) if isinstance(raw, str) else Duration(int(raw))
    except (ValueError, OverflowError):
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
    if isinstance(raw, float) and not math.isfinite(raw):
        raise _Misfit(raw, "a finite number")
    return iso_text(raw) if isinstance(raw, dt.date | dt.time) else raw


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
