"""Typed reading of a parsed YAML document that collects every problem with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from attrs import field, frozen

from score_flyio.base.place import Path, shown
from score_flyio.errors import Problem
from score_flyio.yaml.reader import YamlDocument

T = TypeVar("T")


@frozen(eq=False, repr=False)
class Reader:
    """A place in a document, and the list that its problems go to."""

    document: YamlDocument
    file: str
    problems: list[Problem] = field(factory=list)

    def wrong(self, path: Path, message: str, hint: str | None = None) -> None:
        self.problems.append(
            Problem(
                message=message,
                file=self.file,
                line=self.document.line(path),
                path=path,
                hint=hint,
                code="state_invalid",
            )
        )

    def object(self, value: Any, path: Path) -> dict[str, Any]:
        """A map with text keys; null is the empty one."""
        if isinstance(value, dict):
            return value
        if value is not None:
            self.wrong(path, f"must be a map, is {shown(value)}")
        return {}

    def known(self, value: Any, path: Path, *keys: str) -> dict[str, Any]:
        """A map that has none but these keys."""
        found = self.object(value, path)
        for key in found:
            if key not in keys:
                self.wrong((*path, key), "unknown key", hint=f"known are {', '.join(keys)}")
        return found

    def text(self, value: Any, path: Path) -> str:
        """Text; null is the empty one, and a number or word stands for itself."""
        match value:
            case None:
                return ""
            case str():
                return value
            case bool():
                return "true" if value else "false"
            case int() | float():
                return str(value)
            case _:
                self.wrong(path, f"must be text, is {shown(value)}")
                return ""

    def required(self, found: dict[str, Any], key: str, path: Path) -> str:
        """A text that must be there and not be empty."""
        text = self.text(found.get(key), (*path, key))
        if not text:
            self.wrong(path, f"`{key}` is missing")
        return text

    def items(self, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        """The items of a list; null is the empty one."""
        if value is not None and not isinstance(value, list):
            self.wrong(path, f"must be a list, is {shown(value)}")
            return
        for index, item in enumerate(value or ()):
            yield (*path, index), item

    def each(self, value: Any, path: Path, read: Callable[[Path, Any], T]) -> dict[str, T]:
        """A map of equal entries."""
        return {key: read((*path, key), item) for key, item in self.object(value, path).items()}
