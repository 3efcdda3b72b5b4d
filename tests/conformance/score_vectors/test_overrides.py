"""Overrides agree with the reference library."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from score_flyio.score.overrides import (
    OverrideError,
    apply_property,
    merge_map,
    parse_path,
    parse_property,
)
from tests.conformance.score_vectors.vectors import same

Entry = dict[str, Any]


@pytest.mark.vectors("override_path_parse")
def test_path(entry: Entry) -> None:
    assert list(parse_path(entry["input"])) == entry["output"]


@pytest.mark.vectors("override_map")
def test_map(entry: Entry) -> None:
    before = copy.deepcopy(entry["doc"])
    assert same(merge_map(entry["doc"], entry["overrides"]), entry["output"])
    assert entry["doc"] == before


@pytest.mark.vectors("override_apply")
def test_apply(entry: Entry) -> None:
    value = None if entry["delete"] else entry["value"]
    _compare(entry, lambda: apply_property(entry["doc"], entry["path"], value))


@pytest.mark.vectors("override_property")
def test_property(entry: Entry) -> None:
    def run() -> Any:
        path, value = parse_property(entry["entry"])
        return apply_property(entry["doc"], path, value)

    _compare(entry, run)


def _compare(entry: Entry, run: Any) -> None:
    before = copy.deepcopy(entry["doc"])
    category = entry.get("error_category")
    if category == "crash":
        category = "index_out_of_range"
    if category:
        with pytest.raises(OverrideError) as failure:
            run()
        assert failure.value.kind == category
        assert failure.value.code == "override_property_invalid"
    elif "divergence_ok" in entry:
        assert same(run(), before), "removing below a missing path changes nothing"
    else:
        assert same(run(), entry["output"])
    assert entry["doc"] == before
