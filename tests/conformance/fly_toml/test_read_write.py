"""Reading, checking and writing every recorded fly.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from score_flyio.errors import Problem
from score_flyio.flytoml import FlyTomlDocument, read_fly_toml, to_json, to_toml
from score_flyio.flytoml.findings import recorded
from score_flyio.flytoml.groups import default_group, flatten, process_groups
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.validate import undeployable, validate
from tests.conformance.fly_toml.compare import Case, canonical, ordered_document, unordered


def read(case: Case) -> FlyTomlDocument:
    return read_fly_toml(case.text, file="fly.toml")


def test_verdict(case: Case) -> None:
    expected = case.expected
    document = read(case)
    assert unordered(map(recorded, document.errors)) == unordered(expected["errors"])
    assert document.valid == expected["valid"]
    warnings = [{"field": r["field"], "code": r["code"]} for r in map(recorded, document.warnings)]
    assert unordered(warnings) == unordered(expected["warnings"])
    assert document.app == expected.get("app")
    assert bool(document.problems) == (not document.valid)


def test_strict(case: Case) -> None:
    strict = read(case).strict
    assert (strict.to_json() if strict else None) == case.expected["strict"]


def test_groups(case: Case) -> None:
    expected = case.expected
    spec = read(case).spec
    if spec is None:
        assert expected["process_groups"] is None
        return
    groups = process_groups(spec)
    assert list(groups) == expected["process_groups"]
    assert default_group(spec) == expected["default_process_group"]
    flattened = {group: to_json(flatten(spec, group)) for group in groups}
    assert canonical(flattened) == canonical(expected["flattened"])
    reduced = {group: flatten(spec, group) for group in groups}
    found = {group: (*validate(flat), *mounts_of(flat)) for group, flat in reduced.items()}
    assert {g: unordered(map(recorded, found[g])) for g in groups} == {
        group: unordered(errors) for group, errors in expected["group_errors"].items()
    }


def mounts_of(flat: AppSpec) -> Iterator[Problem]:
    """What is told of the mounts of a group; flyctl says nothing of the rest."""
    return (problem for problem in undeployable(flat) if problem.path[0] == "mounts")


def test_config(case: Case) -> None:
    spec = read(case).spec
    config: dict[str, Any] | None = None if spec is None else to_json(spec)
    assert canonical(config) == canonical(case.expected["config"])


def test_toml_has_the_same_content_and_order(case: Case) -> None:
    spec = read(case).spec
    expected = case.expected["toml"]
    if spec is None or expected is None:
        assert spec is None
        assert expected is None
        return
    assert tomllib.loads(to_toml(spec)) == tomllib.loads(expected)
    assert ordered_document(to_toml(spec)) == ordered_document(expected)


def test_written_toml_reads_as_recorded(case: Case) -> None:
    expected = case.expected
    spec = read(case).spec
    if spec is None:
        assert "toml_stable" not in expected
        return
    again = read_fly_toml(to_toml(spec)).spec
    assert again is not None
    assert (to_json(again) == to_json(spec)) == expected["toml_round_trips"]
    assert (to_toml(again) == to_toml(spec)) == expected["toml_stable"]
