"""JSON in an annotation → a section of fly.toml, every member checked."""

from __future__ import annotations

from typing import Any, Final

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.record import define, field
from score_flyio.flytoml.schema import Key, Shape, keys_of

_TYPES: Final[dict[str, tuple[type, str]]] = {
    "text": (str, "a text"),
    "bool": (bool, "true or false"),
    "list": (list, "a list"),
    "map": (dict, "an object"),
    "section": (dict, "an object"),
}


@define
class OptionsReader:
    """Reads sections; what does not fit is collected in `problems`, as sentences."""

    problems: list[str] = field(factory=list)

    def section(self, section: type, raw: dict[str, Any], place: str = "") -> Any:
        """The section of a JSON object. Members that are null count as absent."""
        keys = keys_of(section)
        values: dict[str, Any] = {}
        for name, item in raw.items():
            if name not in keys:
                self.problems.append(_unknown(place + name, name, keys))
            elif item is not None:
                key = keys[name]
                values[key.attribute] = self._value(key.shape, item, place + name, key)
        return section(**values)

    def _value(self, shape: Shape, raw: Any, place: str, key: Key | None = None) -> Any:
        if shape.kind == "any":
            return raw
        if shape.kind == "int":
            return self._whole(raw, place, key)
        expected: type[Any]
        expected, words = _TYPES[shape.kind]
        if not isinstance(raw, expected):
            self.problems.append(f"{place} must be {words}")
            return expected()
        if shape.section is not None:
            return self.section(shape.section, raw, f"{place}.")
        return self._items(shape, raw, place)

    def _items(self, shape: Shape, raw: Any, place: str) -> Any:
        if shape.item is None:
            return raw
        if isinstance(raw, dict):
            return {
                name: self._value(shape.item, item, f"{place}.{name}") for name, item in raw.items()
            }
        return tuple(
            self._value(shape.item, item, f"{place}[{index}]") for index, item in enumerate(raw)
        )

    def _whole(self, raw: Any, place: str, key: Key | None) -> int:
        whole = isinstance(raw, int) or (isinstance(raw, float) and raw.is_integer())
        least = 0 if key is None else max(0, key.minimum)
        if isinstance(raw, bool) or not whole or raw < least or (key and raw > key.maximum):
            self.problems.append(f"{place} must be a whole number from {least}")
            return 0
        return int(raw)


def _unknown(place: str, name: str, keys: dict[str, Key]) -> str:
    known = did_you_mean(nearest(name, keys)) or f"known: {', '.join(keys)}"
    return f"{place} is unknown ({known})"
