# Made by openapi/generate.py from the document and its corrections; do not edit.
"""What all data classes of the schemas have in common.

To type checkers they are attrs classes, and they are attrs classes when they are used: `fields`,
`evolve`, equality and the rest. attrs would compile the methods of each at import, which took
longer than all else a short command does; their `__init__` is written out instead, and what attrs
knows of their fields is made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from attrs import define
else:

    def define(**_: Any) -> Callable[[T], T]:
        """Leave the class as it is."""
        return lambda class_: class_


__all__ = ["Model", "define", "values"]

T = TypeVar("T")
_PLAIN = frozenset({type(None), str, int, float, bool})


class _Fields:
    """The fields of a class as attrs knows them, made when they are first asked for."""

    def __get__(self, model: object, class_: type[Any]) -> tuple[Any, ...]:
        if class_ is Model:
            raise AttributeError("__attrs_attrs__")
        from attrs import NOTHING, Factory

        defaults = {**class_.__init__.__kwdefaults__, "extra": Factory(dict)}
        fields = tuple(
            _pattern().evolve(
                name=name,
                alias=name,
                default=defaults.get(name, NOTHING),
                type=type_,
                repr=name != "extra",
            )
            for name, type_ in class_.__annotations__.items()
        )
        class_.__attrs_attrs__ = fields
        return fields


@cache
def _pattern() -> Any:
    """A field of attrs to make others from."""
    from attrs import make_class

    (pattern,) = cast("Any", make_class("Pattern", ["pattern"], kw_only=True)).__attrs_attrs__
    return pattern


class _Values:
    """What reads the values of all fields of a class, made when it is first asked for."""

    def __get__(self, model: object, class_: type[Any]) -> Callable[[object], object]:
        class_._values = staticmethod(attrgetter(*class_.__slots__))
        return class_._values  # type: ignore[no-any-return]


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """What `deepcopy` gives, for what these objects have in them: it asks all values for much."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_copied(each, memo) for each in value]
    if kind is dict:
        return {key: _copied(each, memo) for key, each in value.items()}
    return deepcopy(value, memo)


class Model:
    """An object of a schema; `extra` has the members that the document does not know."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]
    if not TYPE_CHECKING:
        __attrs_attrs__ = _Fields()
        _values = _Values()

        def __eq__(self, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return self._values(self) == self._values(other)

        def __deepcopy__(self, memo: dict[int, Any]) -> Any:
            found = values(self)
            return type(self)(
                **{n: v if type(v) in _PLAIN else _copied(v, memo) for n, v in found.items()}
            )

        def __replace__(self, **changes: Any) -> Any:
            return type(self)(**values(self) | changes)

        def __repr__(self) -> str:
            names = (name for name in type(self).__annotations__ if name != "extra")
            shown = (f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__name__}({', '.join(shown)})"


def values(model: Model) -> dict[str, Any]:
    """What an object has in its fields, `extra` among them."""
    found: tuple[Any, ...] = cast("Any", model)._values(model)
    return dict(zip(model.__slots__, found, strict=True))
