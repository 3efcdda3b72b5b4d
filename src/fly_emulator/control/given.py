"""What a caller gave, read member by member; what is wrong is told with place, value and hint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.errors import ConfigError, Problem

_Default = TypeVar("_Default")
_REQUIRED: Final[Any] = object()
_MOST: Final = 1 << 53
"""Numbers beyond this are not the same for everyone who reads JSON."""


class Given:
    """The members of a body, or the parameters of a query: these are `texts`."""

    def __init__(self, document: Mapping[str, Any], *, texts: bool = False) -> None:
        self.document = dict(document)
        self._texts = texts
        self._asked: set[str] = set()

    def text(self, name: str, default: _Default = _REQUIRED) -> str | _Default:
        """A text that is not empty. Raises ConfigError: it is none, or missing without default."""
        value: str | _Default = self._value(name, default, "a text")
        if name in self.document and not (isinstance(value, str) and value.strip()):
            raise wrong(name, f"{value!r} is no text", "give a text")
        return value

    def number(self, name: str) -> float:
        """A number. Raises ConfigError: it is something else, or missing."""
        value = self._value(name, _REQUIRED, "a number")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(name, f"{value!r} is no number", "give a number")
        return float(max(min(value, _MOST), -_MOST))

    def integer(
        self, name: str, default: _Default = _REQUIRED, *, most: int = _MOST
    ) -> int | _Default:
        """A whole number from 0 on. Raises ConfigError: it is none, or missing without default."""
        value = self._value(name, default, "a number")
        if name not in self.document:
            return default
        if self._texts and isinstance(value, str) and value.isdecimal() and len(value) < 17:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            bound = f"from 0 to {most}" if most < _MOST else "from 0 on"
            raise wrong(name, f"{value!r} is no whole number {bound}", "give one")
        return value

    def one_of(self, *names: str) -> str:
        """Which of these members is there. Raises ConfigError: none is, or more than one."""
        found = [name for name in names if name in self.document]
        if len(found) != 1:
            told = "is missing" if not found else f"is given beside {' and '.join(found[1:])}"
            raise wrong(names[0], told, f"give either {' or '.join(names)}")
        return found[0]

    def nothing_else(self) -> None:
        """Refuse members that nobody asked for. Raises ConfigError: with all of them."""
        known = sorted(self._asked)
        others = f"known are: {', '.join(known) or 'none'}"
        problems = [
            problem(name, "is not known", did_you_mean(nearest(name, known)) or others)
            for name in self.document.keys() - self._asked
        ]
        if problems:
            raise ConfigError(problems=sorted(problems, key=lambda each: each.place or ""))

    def _value(self, name: str, default: Any, kind: str) -> Any:
        self._asked.add(name)
        if name in self.document:
            return self.document[name]
        if default is _REQUIRED:
            raise wrong(name, "is missing", f"give {kind}")
        return default


def problem(name: str, message: str, hint: str) -> Problem:
    """What is wrong with a member; without a name, with all that was given."""
    return Problem(message=message, path=(name,) if name else (), hint=hint, code="control")


def wrong(name: str, message: str, hint: str) -> ConfigError:
    """The error of one that is wrong."""
    return ConfigError(problems=[problem(name, message, hint)])
