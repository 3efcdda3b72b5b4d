"""docs/compatibility.md has every difference that the tests allow, and nothing that none checks."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from score_flyio.flytoml import read_fly_toml, to_toml
from tests.conformance.fly_toml import compare
from tests.conformance.score import divergences
from tests.conformance.score.test_cases import ADDED_NOTICES
from tests.conformance.score_vectors.vectors import DATA
from tests.meta.source import ROOT

PAGE = (ROOT / "docs" / "compatibility.md").read_text()
DIFFERENCES = PAGE.partition("## Differences")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DIFFERENCES.splitlines()
    if line.startswith("| ") and not line.startswith("| Older tool")
]
CASES = ROOT / "tests" / "conformance" / "score" / "cases"


def words(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def checked_by() -> set[str]:
    return {word for row in ROWS for word in words(row[-1])}


def kinds() -> set[str]:
    """The kinds of divergence that recorded cases carry, and those that the rules tell apart."""
    of_cases = {
        json.loads(file.read_text()).get("divergence_kind") for file in CASES.glob("*/case.json")
    }
    rules = ast.parse(Path(divergences.__file__).read_text())
    of_rules = {
        node.value.value
        for match in ast.walk(rules)
        if isinstance(match, ast.match_case)
        for node in ast.walk(match.pattern)
        if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant)
    }
    return {kind for kind in of_cases | of_rules if isinstance(kind, str)}


def vectors_that_differ() -> set[str]:
    return {file.stem for file in DATA.glob("*.json") if "divergence_ok" in file.read_text()}


def test_every_row_has_all_its_cells() -> None:
    assert [row for row in ROWS if len(row) != 4 or not all(row[1:])] == []
    assert len(ROWS) > 50


def test_every_recorded_case_that_goes_another_way_is_there() -> None:
    special = {n for n, rule in divergences.CHOSEN.items() if rule is not divergences.as_recorded}
    assert special - checked_by() == set()


def test_every_vector_file_with_differences_is_there() -> None:
    assert vectors_that_differ() - checked_by() == set()


def test_every_kind_of_difference_is_explained() -> None:
    table = PAGE.partition("## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert kinds() == words("".join(first_cells))


def test_every_other_exception_of_the_conformance_tests_is_there() -> None:
    allowed = {*ADDED_NOTICES, *compare._MAY_BE_LEFT_OUT, "fly_flyctl_version"}
    assert allowed - words(PAGE) == set()


@pytest.mark.parametrize("word", sorted(checked_by()))
def test_what_checks_a_difference_exists(word: str) -> None:
    places = (ROOT / word, CASES / word / "case.json", DATA / f"{word}.json")
    assert any(place.is_file() for place in places)


def test_the_count_of_equal_documents_is_true() -> None:
    index = ROOT / "tests" / "conformance" / "fly_toml" / "index.tsv"
    with index.open() as lines:
        categories = {row["name"]: row["category"] for row in csv.DictReader(lines, delimiter="\t")}
    cases: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for case in compare.cases_in(compare.CASES):
        spec = read_fly_toml(case.text, file="fly.toml").spec
        written, wanted = None if spec is None else to_toml(spec), case.expected["toml"]
        assert (written is None) == (wanted is None)
        for category in (categories[case.name], "**all**"):
            cases[category] += 1
            texts[category] += wanted is not None
            if written is not None:
                same = compare.ordered_document(written) == compare.ordered_document(wanted)
                equal[category] += same
    row = r"^\| (\S+)" + r" \| (\d+)" * 3 + r" \|$"
    shown = re.findall(row, PAGE, re.MULTILINE)
    assert {name: tuple(map(int, counts)) for name, *counts in shown} == {
        name: (cases[name], texts[name], equal[name]) for name in cases
    }
