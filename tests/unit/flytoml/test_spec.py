"""The table of keys and the classes of sections fit together."""

from __future__ import annotations

import typing

import attrs
import pytest

from score_flyio import flytoml
from score_flyio.flytoml import spec
from score_flyio.flytoml.schema import Shape, keys_of
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.values import Duration


def sections_within(section: type) -> set[type]:
    found = {section}
    for key in keys_of(section).values():
        shape: Shape | None = key.shape
        while shape is not None:
            if shape.section is not None:
                found |= sections_within(shape.section)
            shape = shape.item
    return found


def tells_zero_from_absent(section: type, attribute: str) -> bool:
    """Whether a zero value is written: `zero` in the metadata of a field says that it is not."""
    return "zero" not in getattr(attrs.fields(section), attribute).metadata


def test_every_section_is_reached_from_the_app() -> None:
    defined = {x for x in vars(spec).values() if getattr(x, "__module__", "") == spec.__name__}
    assert sections_within(AppSpec) == defined


def test_what_can_be_absent_is_absent_by_default() -> None:
    for section in sections_within(AppSpec):
        for key in keys_of(section).values():
            default = getattr(attrs.fields(section), key.attribute).default
            expected = default is None and tells_zero_from_absent(section, key.attribute)
            assert key.optional == expected, f"{section.__name__}.{key.attribute}"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("mounts", "list"),
        ("checks", "map"),
        ("http_service", "section"),
        ("kill_timeout", "duration"),
        ("app", "text"),
    ],
)
def test_the_kind_of_a_key_is_that_of_its_annotation(key: str, hint: str) -> None:
    assert keys_of(AppSpec)[key].shape.kind == hint


def test_annotations_are_those_of_the_type_checker() -> None:
    for section in sections_within(AppSpec):
        hints = typing.get_type_hints(section, localns={"Duration": Duration})
        absent = {name for name, hint in hints.items() if type(None) in typing.get_args(hint)}
        optional = {name for name in absent if tells_zero_from_absent(section, name)}
        assert optional == {key.attribute for key in keys_of(section).values() if key.optional}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = flytoml.Nothing  # type: ignore[attr-defined]
