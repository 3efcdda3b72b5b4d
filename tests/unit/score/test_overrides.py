from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from score_flyio.base.place import value_at
from score_flyio.score.overrides import apply_property, merge_map, parse_path, parse_property

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
    override = parse_property('a\\.b.c="x=y"')
    assert (override.path, override.value) == (("a.b", "c"), "x=y")
