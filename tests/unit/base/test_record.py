"""Records are what attrs would have made of the same class."""

from __future__ import annotations

import copy
import pickle
from functools import cached_property
from typing import Any, ClassVar

import attrs
import cattrs
import pytest

from score_flyio.base import record
from score_flyio.base.record import Factory, define, evolve, field, fields, frozen
from score_flyio.base.secret import MASK, Secret
from score_flyio.flytoml import spec


def upper(text: str) -> str:
    return text.upper()


@frozen
class Point:
    """Has all that a field can have."""

    kind: ClassVar[str] = "point"
    x: int
    label: str = "none"
    tags: dict[str, int] = field(factory=dict, kw_only=True)
    note: str = field(default="", eq=False, kw_only=True)
    hidden: str = field(default="", repr=False, kw_only=True)
    twice: int = field(
        default=Factory(lambda self: self.x * 2, takes_self=True), kw_only=True, eq=False
    )
    shout: str = field(default="", converter=upper, kw_only=True)
    _inner: int = field(default=0, kw_only=True)
    made: list[str] = field(factory=list, init=False, eq=False)
    thrice: int = field(kw_only=True, eq=False)

    @thrice.default
    def _thrice(self) -> int:
        return self.x * 3

    def __attrs_post_init__(self) -> None:
        self.made.append(f"made {self.x}")


@frozen(kw_only=True)
class Solid(Point):
    """Adds a field, defines one anew, and asks the class that it comes from."""

    label: str = "solid"
    z: int = 0

    @property
    def volume(self) -> int:
        return self.x * self.z

    def __str__(self) -> str:
        return super().__repr__()


@define
class Counter:
    count: int = 0
    step: int = 1


@frozen(eq=False)
class Thing:
    name: str


@frozen
class Square:
    side: int

    @cached_property
    def area(self) -> int:
        return self.side**2


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "a"), {"tags": {"b": 2}, "note": "n", "hidden": "h"}),
    ((), {"x": 1, "label": "a", "shout": "loud", "inner": 7, "twice": 5, "thrice": 9}),
]


def by_attrs(class_: type[Any], **options: Any) -> Any:
    """The same class as attrs makes it."""
    made = {each.name: as_attrs(each) for each in attrs.fields(class_)}
    body = {"__attrs_post_init__": class_.__attrs_post_init__}
    return attrs.make_class(class_.__name__, made, class_body=body, slots=True, **options)


def as_attrs(of: attrs.Attribute[Any]) -> Any:
    names = ("default", "init", "repr", "eq", "kw_only", "converter", "metadata")
    return attrs.field(**{name: getattr(of, name) for name in names})


@pytest.mark.parametrize("class_", [Point, Solid])
@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_objects_are_as_attrs_makes_them(
    class_: Any, values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    if class_ is Solid and len(values) > 1:
        values, named = values[:1], {**named, "label": values[1]}
    ours, theirs = class_(*values, **named), by_attrs(class_, frozen=True)(*values, **named)
    assert repr(ours) == repr(theirs)
    assert attrs.asdict(ours) == attrs.asdict(theirs)
    assert attrs.asdict(evolve(ours, x=5)) == attrs.asdict(attrs.evolve(theirs, x=5))
    assert attrs.evolve(ours, x=5) == evolve(ours, x=5)


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, "a", "b"), {}), ((1,), {"x": 1}), ((1,), {"unknown": 1}), ((1,), {"made": []})],
)
def test_what_attrs_refuses_is_refused(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    for class_ in (Point, by_attrs(Point)):
        with pytest.raises(TypeError):
            class_(*values, **named)


def test_equal_are_objects_of_one_class_whose_compared_fields_are() -> None:
    assert Point(1) == Point(1, note="other")
    assert Point(1) != Point(1, hidden="other")
    assert Point(1) != Solid(1, label="none")
    assert Point(1) != Counter(1)  # type: ignore[comparison-overlap]
    assert Thing("a") != Thing("a")


def test_equal_objects_have_one_hash_and_objects_that_change_have_none() -> None:
    assert hash(Square(2)) == hash(Square(2))
    assert len({Thing("a"), Thing("a")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter())
    with pytest.raises(TypeError, match="unhashable"):
        hash(spec.AppSpec())


def test_frozen_objects_do_not_change_and_others_do() -> None:
    point: Any = Point(1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        point.x = 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del point.x
    counter = Counter()
    counter.count += counter.step
    assert counter == Counter(1)


def test_no_object_has_other_attributes() -> None:
    counter: Any = Counter()
    with pytest.raises(AttributeError):
        counter.other = 1
    assert not hasattr(Point(1), "__dict__")


@pytest.mark.parametrize("value", [Point(1, tags={"a": 1}), Solid(2, z=3), Counter(4)])
def test_copies_are_equal(value: Any) -> None:
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert attrs.asdict(copy.deepcopy(value)) == attrs.asdict(value)


def test_attrs_and_cattrs_know_the_fields() -> None:
    assert attrs.has(Solid)
    assert [each.name for each in attrs.fields(Solid)] == [each.name for each in fields(Solid)]
    assert attrs.fields(Point).hidden.repr is False
    assert cattrs.structure({"side": 3}, Square) == Square(3)
    assert cattrs.unstructure(Square(3)) == {"side": 3}


def test_a_class_of_attrs_may_come_from_a_record() -> None:
    @attrs.frozen
    class Cube(Square):
        depth: int

    assert Cube(2, 3) == Cube(2, depth=3)
    assert Cube(2, 3).area == 4


def test_values_are_told_apart_by_position() -> None:
    match Point(1, "here"):
        case Point(x, label):
            assert (x, label) == (1, "here")


def test_methods_are_those_of_the_class() -> None:
    assert Solid(2, z=3).volume == 6
    assert str(Solid(2)) == repr(Solid(2))
    assert Solid.kind == "point"
    assert Square(3).area == 9


def test_init_is_made_once_and_by_the_first_object() -> None:
    @frozen
    class Late:
        x: int

    before = Late.__init__
    assert Late(1) == Late(1)
    made = Late.__init__
    assert made is not before
    assert Late(2).x == 2
    assert Late.__init__ is made


def test_a_secret_inside_shows_masked() -> None:
    shown = repr(spec.AppSpec(env={"KEY": Secret("s3cret")}))  # type: ignore[dict-item]
    assert MASK in shown
    assert "s3cret" not in shown


@pytest.mark.parametrize("kind", [spec.AppSpec, spec.Service, spec.Mount])
def test_a_changed_copy_differs(kind: type[Any]) -> None:
    fresh = kind()
    assert evolve(fresh) == fresh
    assert evolve(fresh, processes=("other",)) != fresh


def test_names_are_those_of_attrs() -> None:
    assert all(hasattr(attrs, name) for name in set(record.__all__) - {"needed", "values"})
