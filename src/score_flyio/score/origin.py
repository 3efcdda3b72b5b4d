"""Where the values of a Score document were written: in its file, or in what was laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from score_flyio.base.place import Path, value_at
from score_flyio.base.record import evolve, field, frozen
from score_flyio.errors import Problem
from score_flyio.yaml.reader import YamlDocument

_ABOUT_A_KEY: Final = frozenset({"required", "additionalProperties"})
"""Rules whose problems are at a map and about the key in it that is their subject."""
_ABOUT_A_MAP: Final = frozenset({"oneOf", "anyOf", "minProperties"})
"""Rules about which keys a map has together."""


@frozen(kw_only=True)
class Override:
    """One thing that was laid over a document."""

    name: str
    """The file or the option, as the user gave it."""
    path: Path = ()
    """The place of what it sets or removes."""
    made: int = 0
    """How many parts of that path lead to the first map that it had to make on the way."""
    source: YamlDocument | None = field(default=None, repr=False)
    """The text of a file; None for an option."""

    def wrote(self, place: Path, *, within: bool) -> bool:
        """Whether it set or removed the value at a place, or something `within` that value."""
        if self.source is not None:
            return self.source.line(place) is not None
        within = within or len(place) >= self.made
        shared = min(len(self.path), len(place)) if within else len(self.path)
        return place[:shared] == self.path[:shared]


@frozen(kw_only=True)
class Origin:
    """The text of a document, and what was laid over it."""

    file: str
    """The Score file as the user named it."""
    source: YamlDocument | None = field(default=None, repr=False)
    """None where the text is not known, such as that of a workload in the state."""
    overrides: tuple[Override, ...] = ()
    """In the order in which they were laid over it."""
    upgraded: Mapping[Path, Path] = field(factory=dict)
    """Places that an upgrade of deprecated forms made → where those stood before."""

    def located(self, problem: Problem) -> Problem:
        """A problem of the document with the file, or option, and line to blame for it."""
        written = self._written(problem.path)
        key = (problem.subject,) if problem.kind in _ABOUT_A_KEY and problem.subject else ()
        place = (*written, *key)
        within = problem.kind in _ABOUT_A_MAP
        for override in reversed(self.overrides):
            if override.wrote(place, within=within):
                text = override.source
                line = None if text is None else text.line(place)
                return evolve(problem, file=override.name, line=line)
        line = None if self.source is None else self.source.line(written)
        return evolve(problem, file=self.file, line=line)

    def _written(self, path: Path) -> Path:
        """Where the value at a path stood before the upgrade."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.upgraded:
                return self.upgraded[path[:length]] + path[length:]
        return path


def of_property(name: str, document: Any, path: tuple[str, ...]) -> Override:
    """What an override property lays over a document; indexes of its place are numbers."""
    place: list[str | int] = []
    for part in path:
        here = value_at(document, place)
        if isinstance(here, list):
            place.append(len(here) if part == "-1" else int(part))
        else:
            place.append(part)
    there = [value_at(document, place[:depth]) is not None for depth in range(len(path))]
    return Override(name=name, path=tuple(place), made=sum(there))
