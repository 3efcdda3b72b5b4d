"""No declared lower bound lets in a version with a hole that is listed in advisories.toml."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.meta import advisories
from tests.meta.advisories import LIST, Hole, known, numbers, written
from tests.meta.test_dependencies import PROJECT, name_of

HOLES = sorted(known(LIST.read_text()))
REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
]


def too_low(requirement: str, fixed: str) -> bool:
    """Whether a requirement admits versions below the one that closes a hole."""
    bound = re.search(r">=\s*([\d.]+)", requirement)
    return bound is None or numbers(bound[1]) < numbers(fixed)


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.advisory)
def test_no_lower_bound_has_a_known_hole(hole: Hole) -> None:
    named = [each for each in REQUIREMENTS if name_of(each) == hole.name]
    assert named, f"{hole.name} is not declared any more: take {hole.advisory} off the list"
    wrong = [each for each in named if too_low(each, hole.fixed)]
    assert wrong == [], f"{hole.advisory} is closed in {hole.name} {hole.fixed}"


@pytest.mark.parametrize(
    "requirement", ["h11", "h11>=0.14", "h11>=0.15.9", "h11[x]>=0.1; a == 'b'"]
)
def test_a_lower_bound_that_is_too_low_is_found(requirement: str) -> None:
    assert too_low(requirement, "0.16.0")
    assert not too_low("h11>=0.16", "0.16.0")


def record(name: str, *events: dict[str, str], **more: object) -> dict[str, object]:
    """An OSV record."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }
    return {"id": "GHSA-1", "aliases": ["CVE-1"], "affected": [affected], **more}


def test_the_list_is_written_as_it_is_kept() -> None:
    assert written(set(HOLES)) == LIST.read_text()


def test_holes_are_taken_from_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "advisories.toml"
    kept.write_text(written({Hole("h11", "0.16.0", "CVE-0")}))
    monkeypatch.setattr(advisories, "LIST", kept)
    export = tmp_path / "export"
    export.mkdir()
    records = [
        record(
            "Jinja2", {"introduced": "0"}, {"fixed": "2.9"}, {"introduced": "3"}, {"fixed": "3.10"}
        ),
        record("h11", {"introduced": "0"}, {"fixed": "1.0"}, aliases=[]),
        record("h11", {"introduced": "0"}, {"fixed": "2.0"}, withdrawn="2026-01-01T00:00:00Z"),
        record("h11", {"introduced": "0"}, id="GHSA-open"),
        record("not-ours", {"introduced": "0"}, {"fixed": "1.0"}),
    ]
    for number, each in enumerate(records[:3]):
        (export / f"{number}.json").write_text(json.dumps(each))
    (export / "more.json").write_text(json.dumps({"vulns": records[3:]}))
    assert advisories.main(str(export)) == 0
    assert known(kept.read_text()) == {
        Hole("h11", "0.16.0", "CVE-0"),
        Hole("h11", "1.0", "GHSA-1"),
        Hole("jinja2", "3.10", "CVE-1"),
    }
    assert "new: CVE-1, closed in jinja2 3.10" in capsys.readouterr().out
    assert too_low("jinja2>=3.1.6", "3.10")
