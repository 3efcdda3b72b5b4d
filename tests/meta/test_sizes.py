"""Small files, short functions, documented names."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.meta.source import ROOT, SOURCE, modules

LONGEST_FILE = 500
LONGEST_FUNCTION = 60
EMPTY_NAMES = {"utils", "util", "helpers", "manager", "common", "misc"}


def test_files_are_short() -> None:
    lengths = {module.name: module.path.read_text().count("\n") for module in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{module.name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno)
        - node.lineno
        + 1
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_public_functions_and_classes_are_documented() -> None:
    bare = [
        f"{module.name}:{node.lineno} {node.name}"
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


def test_modules_say_what_they_are_for() -> None:
    bare = [m.name for m in modules() if m.tree.body and not ast.get_docstring(m.tree)]
    assert bare == []


def test_names_of_modules_say_what_is_in_them() -> None:
    assert [m.name for m in modules() if m.path.stem in EMPTY_NAMES] == []


def test_unit_tests_lie_as_what_they_test_lies() -> None:
    unit = ROOT / "tests" / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}
    homes = (SOURCE / "score_flyio", ROOT)
    assert [
        str(f) for f in folders if f == Path() or not any((h / f).is_dir() for h in homes)
    ] == []
