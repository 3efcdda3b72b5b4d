"""Corrections are applied as the OpenAPI Overlay specification says."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openapi.overlay import OverlayError, apply_overlay

DOCUMENT: dict[str, Any] = {
    "paths": {"/a/{b}": {"get": {"parameters": [{"name": "x"}, {"name": "y", "in": "query"}]}}},
    "components": {"schemas": {"fly.Config": {"properties": {"size": {"type": "string"}}}}},
}
GET = DOCUMENT["paths"]["/a/{b}"]["get"]


def applied(*actions: dict[str, Any]) -> dict[str, Any]:
    return apply_overlay(DOCUMENT, {"overlay": "1.0.0", "actions": list(actions)})


def test_objects_are_merged_lists_appended_and_values_replaced() -> None:
    result = applied(
        {"target": "$.paths['/a/{b}'].get", "update": {"parameters": [{"name": "z"}], "new": 1}},
        {"target": "$.components", "update": {"schemas": {"Other": {"type": "object"}}}},
        {"target": "$.components.schemas['fly.Config'].properties.size", "update": {"type": "int"}},
    )
    get = result["paths"]["/a/{b}"]["get"]
    assert [entry["name"] for entry in get["parameters"]] == ["x", "y", "z"]
    assert get["new"] == 1
    assert set(result["components"]["schemas"]) == {"fly.Config", "Other"}
    assert result["components"]["schemas"]["fly.Config"]["properties"]["size"] == {"type": "int"}


def test_a_list_entry_is_found_by_a_member_and_can_be_removed() -> None:
    place = "$.paths['/a/{b}'].get.parameters[?@.name=='y']"
    changed = applied({"target": place, "update": {"in": "header"}})
    removed = applied({"target": place, "remove": True})
    assert changed["paths"]["/a/{b}"]["get"]["parameters"][1]["in"] == "header"
    assert removed["paths"]["/a/{b}"]["get"]["parameters"] == [{"name": "x"}]


def test_a_target_that_is_a_list_gets_a_further_entry() -> None:
    result = applied({"target": "$.paths['/a/{b}'].get.parameters", "update": {"name": "z"}})
    assert result["paths"]["/a/{b}"]["get"]["parameters"][-1] == {"name": "z"}


def test_a_star_means_all_members() -> None:
    every = applied({"target": "$.paths.*.*", "update": {"seen": True}})
    assert every["paths"]["/a/{b}"]["get"]["seen"] is True
    assert applied({"target": "$.components.*", "remove": True})["components"] == {}


def test_the_root_can_be_a_target_and_the_original_stays() -> None:
    before = copy.deepcopy(DOCUMENT)
    assert applied({"target": "$", "update": {"info": {"version": "2"}}})["info"] == {
        "version": "2"
    }
    assert before == DOCUMENT


@pytest.mark.parametrize(
    "target",
    [
        "$.paths['/missing']",
        "$.paths['/a/{b}'].get.parameters[?@.name=='nope']",
        "$.components.schemas.nothing.properties",
        "$.paths[*]",
        "$..get",
        "paths",
    ],
)
def test_a_target_that_finds_nothing_or_is_not_understood_is_an_error(target: str) -> None:
    with pytest.raises(OverlayError):
        applied({"target": target, "update": {}})
