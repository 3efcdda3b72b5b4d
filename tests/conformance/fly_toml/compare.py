"""Cases of the fly.toml conformance corpus, and how their outcomes are compared."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from attrs import frozen

CASES: Final = Path(__file__).parent / "cases"
_MAY_BE_LEFT_OUT: Final[dict[str, Any]] = {
    "init": {},
    "skip_secrets": False,
    "tigris_bucket": "",
    "index_document": "",
}


@frozen
class Case:
    """One recorded fly.toml and its outcome."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def text(self) -> str:
        return (self.folder / "fly.toml").read_bytes().decode()

    @property
    def expected(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "expected.json").read_text("utf-8"))
        return document


def cases_in(folder: Path) -> list[Case]:
    """The cases of a corpus: of its `cases` folder if it has one."""
    folder = folder / "cases" if (folder / "cases").is_dir() else folder
    return [Case(path.parent) for path in sorted(folder.glob("*/expected.json"))]


def same(value: Any) -> Any:
    """A JSON value without what may be left out: nulls and a few empty members."""
    if isinstance(value, dict):
        kept = {name: same(item) for name, item in value.items() if item is not None}
        return {name: item for name, item in kept.items() if not _optional(name, item)}
    return [same(item) for item in value] if isinstance(value, list) else value


def canonical(value: Any) -> str:
    """A JSON value as text that is equal for equal values: `7` and `7.0` are, `1` and `true` not."""
    return json.dumps(_floats(same(value)), sort_keys=True, indent=1)


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _optional(name: str, value: Any) -> bool:
    if name not in _MAY_BE_LEFT_OUT:
        return False
    empty = _MAY_BE_LEFT_OUT[name]
    return type(value) is type(empty) and bool(value == empty)


def unordered(items: Iterable[dict[str, Any]]) -> list[str]:
    """Problems as a set, which has neither order nor repetitions, in a form that compares well."""
    return sorted({json.dumps(item, sort_keys=True) for item in items})


def ordered_document(text: str) -> Any:
    """A TOML text with the order of its keys: pairs instead of tables."""
    return _pairs(tomllib.loads(text))


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _pairs(item)) for name, item in value.items()]
    return [_pairs(item) for item in value] if isinstance(value, list) else value
