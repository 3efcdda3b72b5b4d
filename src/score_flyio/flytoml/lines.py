"""On which line of a file a key stands."""

from __future__ import annotations

import re
from typing import Final

_INDEX: Final = re.compile(r"\[[0-9]+\]")


def line_for(lines: dict[str, int], place: str) -> int | None:
    """The line of a key, or of the nearest table around it."""
    while place:
        for spelling in (place, _INDEX.sub("", place)):
            if spelling in lines:
                return lines[spelling]
        place = place.rpartition(".")[0]
    return None
