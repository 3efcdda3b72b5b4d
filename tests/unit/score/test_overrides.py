from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.place import value_at
from score_flyio.score.overrides import (
    OverrideError,
    apply_property,
    merge_map,
    parse_path,
    parse_property,
)

_KEYS = st.sampled_from(["a", "b", "c", "a.b", "c\\"])
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_MAPS = st.dictionaries(_KEYS, _VALUES, max_size=4)


@given(_MAPS, _MAPS)
def test_merge_is_a_merge_by_keys(document: dict[str, Any], overrides: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    merged = merge_map(document, overrides)
    assert document == before
    for key in document.keys() | overrides.keys():
        if key not in overrides:
            assert merged[key] == document[key]
        elif overrides[key] is None:
            assert key not in merged
        elif isinstance(overrides[key], dict) and isinstance(document.get(key), dict):
            assert merged[key] == merge_map(document[key], overrides[key])
        else:
            assert merged[key] == overrides[key]


@given(st.lists(st.text(), min_size=1))
def test_written_paths_read_back(parts: list[str]) -> None:
    written = ".".join(part.replace("\\", "\\\\").replace(".", "\\.") for part in parts)
    assert list(parse_path(written)) == parts


@given(_MAPS, st.lists(st.sampled_from(["x", "y.z"]), min_size=1, max_size=4), st.integers())
def test_what_is_set_is_there(document: dict[str, Any], path: list[str], value: int) -> None:
    before = copy.deepcopy(document)
    changed = apply_property(document, path, value)
    assert value_at(changed, path) == value
    assert document == before
    removed = apply_property(changed, path, None)
    assert value_at(removed, path) is None
    assert apply_property(before, path, None) == before


def test_value_may_have_equals_signs() -> None:
    assert parse_property('a\\.b.c="x=y"') == (("a.b", "c"), "x=y")


DOCUMENT = {"a": {"b": [1, {"c": 2}, 3]}, "text": "t"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("text=", {"a": {"b": [1, {"c": 2}, 3]}}),
        ("text=null", {"a": {"b": [1, {"c": 2}, 3]}}),
        ("a.b.0=9", {"a": {"b": [9, {"c": 2}, 3]}, "text": "t"}),
        ("a.b.+0=9", {"a": {"b": [9, {"c": 2}, 3]}, "text": "t"}),
        ("a.b.2=9", {"a": {"b": [1, {"c": 2}, 9]}, "text": "t"}),
        ("a.b.1.c=9", {"a": {"b": [1, {"c": 9}, 3]}, "text": "t"}),
        ("a.b.1.c=", {"a": {"b": [1, {}, 3]}, "text": "t"}),
        ("a.b.0=", {"a": {"b": [{"c": 2}, 3]}, "text": "t"}),
        ("a.b.2=", {"a": {"b": [1, {"c": 2}]}, "text": "t"}),
        ("a.b.-1=9", {"a": {"b": [1, {"c": 2}, 3, 9]}, "text": "t"}),
        ("x.y={z: 1}", {"a": {"b": [1, {"c": 2}, 3]}, "text": "t", "x": {"y": {"z": 1}}}),
        ("x.y=", DOCUMENT),
    ],
)
def test_properties_are_set_and_removed(entry: str, expected: dict[str, Any]) -> None:
    before = copy.deepcopy(DOCUMENT)
    assert apply_property(DOCUMENT, *parse_property(entry)) == expected
    assert before == DOCUMENT


QUOTE, APPEND = "put text in quotes", "-1 as the last part appends"


@pytest.mark.parametrize(
    ("entry", "kind", "message", "hint"),
    [
        ("a.b", "no_equals", ' has no "="', "write PATH=VALUE, or PATH= to remove"),
        (
            "a=}",
            "bad_yaml",
            ": the value is not YAML: expected the node content, but found '}'",
            QUOTE,
        ),
        (
            "a={1: 2}",
            "bad_yaml",
            ": the value is not a single YAML document with text as keys",
            QUOTE,
        ),
        (
            "a=1\n---\n2",
            "bad_yaml",
            ": the value is not a single YAML document with text as keys",
            QUOTE,
        ),
        (
            "a\\.x.b.c=1",
            "not_a_container",
            ': "a\\.x.b" is text, not a map or list',
            "set that property as a whole",
        ),
        (
            r"c\\d.x=1",
            "not_a_container",
            r': "c\\d" is a number, not a map or list',
            "set that property as a whole",
        ),
        ("l.x=1", "bad_index", ': "x" is not a list index', "use 0, 1, …, or -1 to append"),
        ("l.2=1", "index_out_of_range", ": index 2 is out of range, the list has 2 items", APPEND),
        ("l.-1=", "index_out_of_range", ": index -1 is out of range, the list has 2 items", APPEND),
        (
            "l.-2=1",
            "index_out_of_range",
            ": index -2 is out of range, the list has 2 items",
            APPEND,
        ),
        (
            "l.-1.x=1",
            "index_out_of_range",
            ": index -1 is out of range, the list has 2 items",
            APPEND,
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_a_hint(
    entry: str, kind: str, message: str, hint: str
) -> None:
    document = {"a.x": {"b": "text"}, "c\\d": 1, "l": ["one", "two"]}
    with pytest.raises(OverrideError) as failure:
        apply_property(document, *parse_property(entry))
    assert (failure.value.kind, failure.value.hint) == (kind, hint)
    shown = entry if kind in {"no_equals", "bad_yaml"} else entry.partition("=")[0]
    assert str(failure.value) == f'override property "{shown}"{message}'


def test_a_property_needs_a_path() -> None:
    with pytest.raises(OverrideError, match=r"^an override property needs a path$") as failure:
        apply_property({}, (), 1)
    assert (failure.value.kind, failure.value.hint) == ("empty_path", None)
