"""The lock file and the bill of materials are of what is declared and constrained now."""

from __future__ import annotations

import re
from importlib.metadata import requires

from tests.meta.locked import EXTRAS, LOCK, SBOM, bill, locked
from tests.meta.source import ROOT
from tests.meta.test_dependencies import declared, name_of


def needed(roots: set[str]) -> set[str]:
    """The distributions that these need on this machine, and what those need."""
    found: set[str] = set()
    open_ends = set(roots)
    while open_ends:
        name = open_ends.pop()
        found.add(name)
        items = [item for item in requires(name) or () if ";" not in item]
        open_ends |= {name_of(item) for item in items} - found
    return found


def test_all_that_runs_is_locked_with_its_hashes() -> None:
    there = {name_of(each.name): each for each in locked(LOCK.read_text())}
    anywhere = {name for name in declared(*EXTRAS) if name != "filelock"}  # Windows has it alone
    assert needed(anywhere) - set(there) == set()
    assert all(each.hashes for each in there.values())


def test_versions_are_those_of_the_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    versions = {name_of(line): line.partition("==")[2] for line in lines}
    locked_ones = {name_of(each.name): each.version for each in locked(LOCK.read_text())}
    known = {name: versions.get(name, version) for name, version in locked_ones.items()}
    assert known == locked_ones


def test_the_bill_is_of_the_lock_file() -> None:
    assert SBOM.read_text() == bill(locked(LOCK.read_text()))


def test_neither_says_where_packages_come_from() -> None:
    text = LOCK.read_text() + SBOM.read_text()
    assert re.findall(r"https?://\S+", text) == [
        'http://cyclonedx.org/schema/bom-1.6.schema.json",'
    ]
