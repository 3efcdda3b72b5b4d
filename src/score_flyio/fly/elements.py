"""Long lists of the API, read one element after another.

A thousand machines are 3 MiB of JSON, and 10 as lists and dicts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

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
