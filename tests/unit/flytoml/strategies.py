"""Random app specs, made from the key table itself."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st

from score_flyio.flytoml.schema import Key, Shape, keys_of
from score_flyio.flytoml.spec import AppSpec, BuildSection, ExperimentalSection
from score_flyio.flytoml.values import Duration

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
EXACT = 2**53
"""Up to here every whole number is exact as a float, which JSON numbers are."""
INT64 = st.integers(-(2**63), 2**63 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
FREE = st.recursive(
    st.booleans() | FINITE | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def of_shape(shape: Shape, key: Key | None = None) -> st.SearchStrategy[Any]:
    """Values of one shape."""
    if shape.section is not None:
        return of_section(shape.section)
    if shape.item is not None:
        item = of_shape(shape.item)
        if shape.kind == "list":
            return st.lists(item, max_size=2).map(tuple)
        return st.dictionaries(TEXTS, item, max_size=3)
    scalars: dict[str, st.SearchStrategy[Any]] = {
        "text": TEXTS,
        "int": st.integers(max(key.minimum, -EXACT), min(key.maximum, EXACT)) if key else INT64,
        "float": FINITE,
        "bool": st.booleans(),
        "duration": INT64.map(Duration),
        "auto_stop": st.sampled_from(["off", "stop", "suspend"]),
        "persist_rootfs": st.sampled_from(["", "never", "restart", "always"]),
        "any": FREE,
    }
    return scalars[shape.kind]


def of_section(section: type) -> st.SearchStrategy[Any]:
    """Sections with any of their keys given."""
    optional = {key.attribute: of_shape(key.shape, key) for key in keys_of(section).values()}
    return st.fixed_dictionaries({}, optional=optional).map(lambda given: section(**given))


def kept_when_written(spec: AppSpec) -> AppSpec:
    """Without the empty sections and zeros that are lost on the next load, as they are by flyctl."""
    build = None if spec.build == BuildSection() else spec.build
    experimental = None if spec.experimental == ExperimentalSection() else spec.experimental
    metrics = tuple(
        attrs.evolve(one, port=one.port or None, path=one.path or None, https=one.https or None)
        for one in spec.metrics
    )
    return attrs.evolve(spec, build=build, experimental=experimental, metrics=metrics)


APP_SPECS: st.SearchStrategy[AppSpec] = of_section(AppSpec).map(kept_when_written)
