"""Typed reading of a parsed YAML document that collects every problem with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from score_flyio.base.place import Path, shown
from score_flyio.base.record import field, frozen
from score_flyio.errors import Problem
from score_flyio.yaml.reader import YamlDocument

T = TypeVar("T")


@frozen(eq=False, repr=False)
class Reader:
    """Reads parts of a document: a value with its path. What is wrong goes to `problems`."""

    document: YamlDocument
    file: str
    code: str
    """Of the problems."""
    loose: bool = False
    """Whether a number, true or false in place of a text stands for itself, as Go reads it."""
    problems: list[Problem] = field(factory=list)

    def wrong(
        self, path: Path, message: str, hint: str | None = None, *, line: int | None = None
    ) -> None:
        """Note what is wrong at a path; the line is that of the path, or another one in it."""
        self.problems.append(
            Problem(
                message=message,
                file=self.file,
                line=line or self.document.line(path),
                path=path,
                hint=hint,
                code=self.code,
            )
        )

    def object(self, value: Any, path: Path) -> dict[str, Any]:
        """A map with text keys; null is the empty one."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong(path, f"must be a map, not {shown(value)}")
        return {}

    def known(
        self, value: Any, path: Path, *keys: str, needed: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """A map that has none but these keys, and a value at those that it needs."""
        found = self.object(value, path)
        for key in found:
            if key not in keys:
                self.wrong((*path, key), "unknown key", hint=f"known are {', '.join(keys)}")
        if isinstance(value, dict | None):
            for key in needed:
                if found.get(key) in (None, ""):
                    self.wrong(path, f"{key} is missing")
        return found

    def text(self, value: Any, path: Path, *, hint: str | None = None) -> str:
        """Text; null is the empty one."""
        match value:
            case None:
                return ""
            case str():
                return value
            case bool() if self.loose:
                return "true" if value else "false"
            case int() | float() if self.loose:
                return str(value)
            case _:
                self.wrong(path, f"must be text, not {shown(value)}", hint)
                return ""

    def number(self, value: Any, path: Path, *, default: int = 0, most: int = 1_000_000) -> int:
        """A whole number from 1 on; null is the default."""
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
            self.wrong(path, f"must be a whole number from 1 to {most}, not {shown(value)}")
            return default
        return value

    def items(self, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        """The items of a list; null is the empty one."""
        if value is not None and not isinstance(value, list):
            self.wrong(path, f"must be a list, not {shown(value)}")
            return
        for index, item in enumerate(value or ()):
            yield (*path, index), item

    def each(self, value: Any, path: Path, read: Callable[[Path, Any], T]) -> dict[str, T]:
        """A map of equal entries."""
        return {key: read((*path, key), item) for key, item in self.object(value, path).items()}

    def texts(self, value: Any, path: Path) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._member(at, item) for at, item in self.items(value, path))

    def named_texts(self, value: Any, path: Path) -> dict[str, str]:
        """A map of texts."""
        return self.each(value, path, self._member)

    def _member(self, path: Path, value: Any) -> str:
        if value is None and not self.loose:
            self.wrong(path, "must be text, not null")
        return self.text(value, path)
