"""docs/security.md: every row of its tables names tests that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.meta.source import ROOT

ROWS = [
    line
    for line in (ROOT / "docs/security.md").read_text().splitlines()
    if line.startswith("| ") and "held by" not in line
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def functions(file: str) -> set[str]:
    """The names of the functions of a file, also those in classes."""
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_row_names_tests_that_are_there(row: str) -> None:
    named = NAMED.findall(row)
    assert named
    for file, test in named:
        assert (ROOT / file).is_file()
        found = functions(file)
        assert test in found if test else any(name.startswith("test") for name in found)


def test_both_tables_are_read() -> None:
    assert len(ROWS) > 30
