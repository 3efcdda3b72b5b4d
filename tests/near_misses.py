"""Documents that are almost right: a good one with a few values changed, left out or added."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st


def values(*likely: Any) -> st.SearchStrategy[Any]:
    """Any JSON value, often made of likely texts."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    leaf = plain | st.sampled_from(likely) if likely else plain
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=8,
    )


@st.composite
def mutated(draw: st.DrawFn, good: Any, *likely: Any) -> Any:
    """`good` with one to three changes; keys move to other places."""
    document = copy.deepcopy(good)
    paths = [path for path in _paths(document, ()) if path]
    keys = sorted({part for path in paths for part in path if isinstance(part, str)})
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(paths))
        action = draw(st.sampled_from(["change", "leave out", "add"]))
        try:
            node = document
            for part in way:
                node = node[part]
            if action == "leave out":
                del node[last]
            else:
                node[last if action == "change" else draw(st.sampled_from(keys))] = draw(
                    values(*likely)
                )
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    return document


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(item, (*path, key))
