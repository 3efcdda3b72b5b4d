"""Long lists of the API in little memory: read one after another, equal parts kept once. Pure.

A thousand machines are 3 MiB of JSON, and 10 as lists and dicts; they have most in common.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from operator import is_
from typing import Any, Final

from fly_machines.model import Model, values

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_READ: Final = json.JSONDecoder().raw_decode


class Elements:
    """The elements of a JSON array, made anew each time that they are asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[Any]:
        """Raises JSONDecodeError where the text is no array."""
        place = self._after("[", 0)
        closed = self._text.startswith("]", place)
        while not closed:
            element, place = _READ(self._text, place)
            yield element
            place = self._space(place)
            closed = self._text.startswith("]", place)
            place = place if closed else self._after(",", place)
        if self._space(place + 1) != len(self._text):
            raise json.JSONDecodeError("more than one value", self._text, place)

    def _after(self, mark: str, place: int) -> int:
        place = self._space(place)
        if not self._text.startswith(mark, place):
            raise json.JSONDecodeError(f"no {mark}", self._text, place)
        return self._space(place + 1)

    def _space(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        return found.end() if found else place


def sharing(value: Any, other: Any) -> Any:
    """The value, which nobody else has yet, with all that is equal in the other taken from it.

    Equal are values of one type: Python takes `1`, `1.0` and `True` for the same, JSON does not.
    Neither may be changed in place from then on.
    """
    kind = value.__class__
    if kind is not other.__class__:
        return value
    if kind is dict:
        same = _share_members(value, other)
    elif kind is list:
        value[: len(other)] = map(sharing, value, other)
        same = len(value) == len(other) and all(map(is_, value, other))
    elif isinstance(value, Model):
        fields = values(value)
        same = _share_members(fields, values(other))
        if not same:
            for name, shared in fields.items():
                setattr(value, name, shared)
    else:
        same = value == other
    return other if same else value


def _share_members(value: dict[Any, Any], other: dict[Any, Any]) -> bool:
    same = value.keys() == other.keys()
    for key in value if same else value.keys() & other.keys():
        theirs = other[key]
        if value[key] is not theirs:
            value[key] = sharing(value[key], theirs)
            same = same and value[key] is theirs
    return same
