"""docs/architecture.md names what is there."""

from __future__ import annotations

import re

import pytest

from tests.meta.source import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_]+/[A-Za-z_./]*|[a-z_/]+\.(?:py|md))`", TEXT)))
HOMES = (ROOT, ROOT / "src" / "score_flyio", ROOT / "src")


@pytest.mark.parametrize("path", NAMED)
def test_every_path_that_it_names_is_there(path: str) -> None:
    assert any((home / path).exists() for home in HOMES)


def test_every_folder_of_the_library_has_its_line() -> None:
    folders = {p.parent.name for p in (ROOT / "src" / "score_flyio").glob("*/__init__.py")}
    lines = set(re.findall(r"^  ([a-z_]+)/ ", TEXT, re.MULTILINE))
    assert folders <= lines
