"""Schema, upgrade and the checks across fields agree with the reference library."""

from __future__ import annotations

import re
from typing import Any

import pytest

from score_flyio.base.place import json_pointer
from score_flyio.score.schema import schema_findings
from score_flyio.score.upgrade import upgrade
from score_flyio.score.validate import examined
from tests.conformance.score_vectors.vectors import same

Entry = dict[str, Any]
CHECKED = {
    "before_cycle",
    "before_self",
    "before_unknown",
    "malformed",
    "unknown_resource",
    "unsupported_root",
}
"""What the reference library tells of placeholders and of `before`."""
_LISTS_OR_MAPS = re.compile("/containers/[^/]*/(files|volumes)(/|$)")


@pytest.mark.vectors("schema")
def test_schema(entry: Entry) -> None:
    """A document is right when both schemas say so, the published and the one after the upgrade.

    Inside files and volumes only the latter counts: they are upgraded first. The published one
    alone refuses a probe of neither kind.
    """
    upgraded = upgrade(entry["doc"])
    after = entry["after_upgrade"]
    if "upgrade_error_at" in after or "divergence_ok" in entry:
        assert upgraded.findings, "items that cannot be upgraded are reported, not dropped"
        places = [".".join(map(str, finding.path)) for finding in upgraded.findings]
        assert after.get("upgrade_error_at", places[0]) in places
        return
    assert not upgraded.findings
    told = [{"path": notice.subject, "change": notice.kind} for notice in upgraded.notices]
    changes = after.get("changes", [])
    assert told == [change for change in changes if change["change"] != "array_to_map"]
    assert same(upgraded.document, after.get("doc", entry["doc"]))
    errors = [*after.get("errors", []), *_published_only(entry)]
    found = {json_pointer(finding.path) for finding in schema_findings(upgraded.document)}
    assert bool(found) == bool(errors)
    assert not found or found & {place for error in errors for place in _places(error)}


def _published_only(entry: Entry) -> list[Entry]:
    errors = entry.get("errors", [])
    return [error for error in errors if not _LISTS_OR_MAPS.search(error["pointer"])]


def _places(error: Entry) -> set[str]:
    parent = error["pointer"].rpartition("/")[0]
    return {error["pointer"], parent} if error.get("property_name") else {error["pointer"]}


@pytest.mark.vectors("workload_checks")
def test_checks_across_fields(entry: Entry) -> None:
    upgraded = upgrade(entry["doc"])
    assert not schema_findings(upgraded.document)
    found = [each for each in examined(upgraded.document, ())[0] if each.kind in CHECKED]
    if "divergence_ok" in entry and not found:
        # Escaped dots are fine, for one.
        return
    assert [_problem(finding) for finding in found] == [
        {key: value for key, value in problem.items() if key != "path"}
        for problem in entry.get("problems", [])
    ]


def _problem(finding: Any) -> Entry:
    match finding.kind:
        case "before_cycle":
            return {"kind": finding.kind}
        case "before_unknown" | "before_self":
            _, container, _, target = finding.path
            return {"container": container, "target": target, "kind": finding.kind}
        case _:
            return {"kind": finding.kind, "placeholder": finding.subject}
