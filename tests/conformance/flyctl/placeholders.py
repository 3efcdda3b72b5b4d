"""The placeholders of a transcript and what they stand for in one replay."""

from __future__ import annotations

import re
from typing import Any

from attrs import define, field

NAMED = re.compile(r"\{(#?)([a-z]+(?:-[a-z]+)*-\d+)\}")
FREE: dict[str, type | tuple[type, ...]] = {"{time}": str, "{event}": str, "{#time}": (int, float)}
"""Never carried over: any value of that type will do."""
TOKEN = "token"


@define
class Bindings:
    """Values by the names of their placeholders."""

    values: dict[str, str | int] = field(factory=dict)

    def copy(self) -> Bindings:
        return Bindings(dict(self.values))

    def fill(self, recorded: Any) -> Any:
        """A part of a request with the values of this replay."""
        if isinstance(recorded, dict):
            return {name: self.fill(value) for name, value in recorded.items()}
        if isinstance(recorded, list):
            return [self.fill(value) for value in recorded]
        if not isinstance(recorded, str):
            return recorded
        alone = NAMED.fullmatch(recorded)
        if alone:
            value = self._value(alone[2])
            return int(value) if alone[1] else str(value)
        filled = NAMED.sub(lambda found: str(self._value(found[2])), recorded)
        return filled.replace("{token}", TOKEN)

    def _value(self, name: str) -> str | int:
        assert name in self.values, f"no answer has given {{{name}}} yet"
        return self.values[name]

    def known(self, recorded: Any) -> bool:
        """Whether a recorded value stands for one value only."""
        if isinstance(recorded, bool) or recorded in (None, "", *FREE):
            return False
        if not isinstance(recorded, str):
            return isinstance(recorded, int)
        alone = NAMED.fullmatch(recorded)
        return alone[2] in self.values if alone else not NAMED.search(recorded)

    def meet(self, recorded: str, actual: Any) -> str | None:
        """What is wrong with an answer's value at a placeholder; binds one that is new."""
        if recorded in FREE:
            good = isinstance(actual, FREE[recorded])
            return None if good else f"{actual!r} is no {recorded}"
        found = NAMED.fullmatch(recorded)
        assert found
        if not isinstance(actual, int if found[1] else str) or isinstance(actual, bool):
            return f"{actual!r} is no {recorded}"
        value = self.values.setdefault(found[2], actual)
        if str(value) != str(actual):
            return f"{actual!r} instead of {value!r} ({recorded})"
        return None


def is_placeholder(recorded: Any) -> bool:
    return isinstance(recorded, str) and (recorded in FREE or bool(NAMED.fullmatch(recorded)))
