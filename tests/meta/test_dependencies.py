"""What is declared is used, and what is used is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.meta.source import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {"score_flyio", "fly_emulator", "fly_machines", "tests", "openapi", "website"}
BROUGHT = {"pytest"}
"""What users of `score_flyio.testing` have."""
NOT_OF_USERS = {"dev", "docs"}
"""Extras for the work on the project."""
TOOLS = {
    "basedpyright": ("tests/meta/test_embedding.py", '"basedpyright"'),
    "build": ("Makefile", "-m build"),
    "coverage": ("pyproject.toml", "[tool.coverage.run]"),
    "datamodel-code-generator": ("openapi/generate.py", "datamodel_code_generator"),
    "hatchling": ("pyproject.toml", "hatchling.build"),
    "moto": ("tests/integration/state_servers.py", "moto.server"),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "pytest-timeout": ("pyproject.toml", "timeout = "),
    "pytest-xdist": ("Makefile", "-n $(WORKERS)"),
    "ruff": ("Makefile", "$(BIN)/ruff"),
    "uv": ("tests/meta/locked.py", '["uv", '),
    "zensical": ("website/__main__.py", '"zensical"'),
}
"""What is run, not imported: the file that does it, and how."""


def name_of(requirement: str) -> str:
    """The name of a distribution as it is compared."""
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def declared(*extras: str) -> set[str]:
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    return {name_of(item) for items in lists for item in items} - {"score-flyio"}


@cache
def imported(*folders: str) -> frozenset[str]:
    """The distributions that Python files of these folders import, wherever it stands."""
    modules: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "cases" not in path.parts:
                modules |= set(modules_in(path))
    homes = packages_distributions()
    others = modules - OURS - set(sys.stdlib_module_names)
    return frozenset(name_of(home) for module in others for home in homes.get(module, [module]))


def modules_in(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_what_the_packages_import_is_declared() -> None:
    extras = sorted(set(PROJECT["optional-dependencies"]) - NOT_OF_USERS)
    assert imported("src", "generated") - BROUGHT <= declared(*extras)


def test_what_users_install_is_imported() -> None:
    extras = sorted(set(PROJECT["optional-dependencies"]) - NOT_OF_USERS)
    assert declared(*extras) <= imported("src", "generated")


def test_what_tests_import_is_declared() -> None:
    assert imported("tests", "openapi", "website") <= declared(*PROJECT["optional-dependencies"])


@pytest.mark.parametrize("name", sorted(declared("dev", "docs") - declared()))
def test_what_developers_install_is_used(name: str) -> None:
    if name in TOOLS:
        file, text = TOOLS[name]
        assert text in (ROOT / file).read_text(encoding="utf-8")
    else:
        used = imported("src", "generated", "tests", "openapi", "website")
        assert name.removeprefix("types-") in used
