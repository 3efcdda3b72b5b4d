"""docs/score-files.md names tests that are there; the types of other Score tools are told rightly."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from score_flyio.engine.project import Project
from score_flyio.errors import NoProvisionerError
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.meta.source import ROOT

PAGE = (ROOT / "docs" / "score-files.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Shape")
]
TYPES = re.findall(
    r"^\| `([a-z0-9-]+)` \| (yes|) ?\| (yes|) ?\| (.+) \|$",
    (ROOT / "docs" / "provisioners.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_shape_names_tests_that_are_there() -> None:
    assert len(ROWS) > 45
    for row in ROWS:
        assert len(row) == 3, row
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[-1])
        assert named, row
        assert [each for each in named if each[1] not in functions(each[0])] == []


def test_all_default_types_of_the_other_tools_are_in_the_table() -> None:
    of_compose = {name for name, compose, _, _ in TYPES if compose}
    of_k8s = {name for name, _, k8s, _ in TYPES if k8s}
    # score-k8s has an example beside these.
    assert (len(of_compose), len(of_k8s) + 1) == (15, 14)


@pytest.mark.parametrize(("type_", "served"), [(name, text) for name, _, _, text in TYPES])
def test_a_type_is_served_where_the_table_says_so(type_: str, served: str, tmp_path: Path) -> None:
    state = ProjectState.new("pfx-")
    registry = Project(tmp_path, InMemoryStore(state)).registry(state)
    uid = ResourceUid(type_, "default", "shop.it")
    if served.startswith("none"):
        with pytest.raises(NoProvisionerError, match="no provisioner serves it"):
            registry.find(uid)
    else:
        assert registry.find(uid).serves(uid)
