"""Vector files of the Score reference library, and how outcomes are compared with them.

A file is a JSON array of entries. `divergence_ok` marks entries where this project does better;
what it does instead stands in the tables of the tests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).parent / "data"
MARKS: Final = (
    "override_*.json",
    "quantity_parse.json",
    "resource_*.json",
    "schema.json",
    "split_ref.json",
    "substitution.json",
    "vm_size.json",
    "workload_checks.json",
    "yaml_decode.json",
)
"""Files by which a folder of vectors is known."""


def entries(folder: Path, name: str) -> list[dict[str, Any]]:
    """The entries of one vector file; none when the folder has no such file."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else []


def label(entry: dict[str, Any], index: int) -> str:
    """A short id for an entry."""
    return f"{index}-{entry.get('name', entry.get('group', ''))}"


def same(left: Any, right: Any) -> bool:
    """JSON equality: numbers by value, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
