"""Records compare, hash and show as classes with methods of their own would."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from attrs import field, frozen

from score_flyio.base.record import Record
from score_flyio.base.secret import MASK, Secret
from score_flyio.flytoml import spec


@frozen(kw_only=True, eq=False, repr=False)
class Point(Record):
    x: int = 0
    note: str = field(default="", eq=False)
    hidden: str = field(default="", repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class Other(Record):
    x: int = 0
    note: str = field(default="", eq=False)
    hidden: str = field(default="", repr=False)


@frozen(kw_only=True)
class Generated:
    x: int = 0
    note: str = field(default="", eq=False)
    hidden: str = field(default="", repr=False)


@pytest.mark.parametrize(
    ("left", "right"),
    [({}, {}), ({"x": 1}, {"x": 2}), ({"note": "a"}, {"note": "b"}), ({"hidden": "a"}, {})],
)
def test_the_same_as_generated_methods(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert (Point(**left) == Point(**right)) == (Generated(**left) == Generated(**right))
    if Point(**left) == Point(**right):
        assert hash(Point(**left)) == hash(Point(**right))
    assert repr(Point(**left)) == repr(Generated(**left)).replace("Generated", "Point")


def test_another_class_is_never_equal() -> None:
    assert Point() != Other()
    assert Point() != (0, "")


def test_a_secret_inside_shows_masked() -> None:
    shown = repr(spec.AppSpec(env={"KEY": Secret("s3cret")}))  # type: ignore[dict-item]
    assert MASK in shown
    assert "s3cret" not in shown


def test_what_is_unhashable_stays_so() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(spec.AppSpec())


@pytest.mark.parametrize("kind", [spec.AppSpec, spec.Service, spec.Mount])
def test_a_changed_copy_differs(kind: type[Any]) -> None:
    fresh = kind()
    assert attrs.evolve(fresh) == fresh
    assert attrs.evolve(fresh, processes=("other",)) != fresh
