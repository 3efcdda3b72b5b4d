"""docs/reliability.md names tests that there are."""

from __future__ import annotations

import re

import pytest

from tests.meta.source import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE))))
def test_a_test_that_is_named_is_there(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text()


TABLES = ("## Other people at work", "## What the platform does otherwise")


@pytest.mark.parametrize("title", TABLES)
def test_each_row_names_its_test(title: str) -> None:
    section = PAGE.partition(title)[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 5
    assert [row for row in rows if "`tests/" not in row.rpartition(" | ")[2]] == []
