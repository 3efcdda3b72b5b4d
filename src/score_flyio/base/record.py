"""Data classes that are made when they are first used.

attrs writes and compiles the methods of every class when its module is imported, used or not: that
was a quarter of what a short command did. Here a class gets its slots at once, and its `__init__`
when its first object is made; the other methods are shared. To type checkers, to cattrs and to
`attrs.fields` they are classes of attrs, whose names and rules this module keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property, partial
from operator import attrgetter
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn

__all__ = ["Factory", "define", "evolve", "field", "fields", "frozen", "needed", "values"]

_NOTHING: Final[Any] = object()


class _Factory:
    """A default that is made for each object, out of the object where it `takes_self`."""

    __slots__ = ("factory", "takes_self")

    def __init__(self, factory: Callable[..., Any], *, takes_self: bool = False) -> None:
        self.factory = factory
        self.takes_self = takes_self


class _Field:
    """What a class says about one of its fields."""

    __slots__ = ("converter", "eq", "init", "kw_only", "metadata", "name", "repr", "type", "value")

    def __init__(
        self,
        *,
        default: Any = _NOTHING,
        factory: Callable[[], Any] | None = None,
        init: bool = True,
        repr: bool = True,  # noqa: A002 - the names of attrs
        eq: bool = True,
        kw_only: bool = False,
        converter: Callable[[Any], Any] | None = None,
        metadata: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name = ""
        self.type: Any = None
        self.value = default if factory is None else _Factory(factory)
        self.init = init
        self.repr = repr
        self.eq = eq
        self.kw_only = kw_only
        self.converter = converter
        self.metadata = metadata

    def default(self, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Take a method of the class for what makes the default."""
        self.value = _Factory(method, takes_self=True)
        return method

    @property
    def parameter(self) -> str:
        """What `__init__` calls it."""
        return self.name.lstrip("_")


def _define(
    class_: Any = None,
    *,
    frozen: bool = False,
    kw_only: bool = False,
    eq: bool = True,
    repr: bool = True,  # noqa: A002 - the names of attrs
) -> Any:
    if class_ is None:
        return partial(_define, frozen=frozen, kw_only=kw_only, eq=eq, repr=repr)
    types = {
        name: type_
        for name, type_ in class_.__annotations__.items()
        if not str(type_).startswith(("ClassVar", "typing.ClassVar"))
    }
    body = {k: v for k, v in class_.__dict__.items() if k not in ("__dict__", "__weakref__")}
    known = {
        name: field
        for base in reversed(class_.__mro__)
        for name, field in base.__dict__.get("__fields__", {}).items()
    }
    slots = [name for name in types if name not in known]
    for name, type_ in types.items():
        given = body.pop(name, _NOTHING)
        own = given if isinstance(given, _Field) else _Field(default=given)
        own.name, own.type, own.kw_only = name, type_, own.kw_only or kw_only
        known.pop(name, None)
        known[name] = own
    if any(isinstance(item, cached_property) for item in body.values()):
        slots.append("__dict__")
    body["__slots__"] = tuple(slots)
    body["__fields__"] = known
    body["__match_args__"] = tuple(f.parameter for f in known.values() if f.init and not f.kw_only)
    new = type(class_)(
        class_.__name__,
        class_.__bases__,
        {
            **_SHARED,
            **({"__setattr__": _refuse, "__delattr__": _refuse} if frozen else {}),
            **({"__eq__": _equal, "__hash__": _hash if frozen else None} if eq else {}),
            **({"__repr__": _repr} if repr else {}),
            **body,
        },
    )

    def init(self: Any, *values: Any, **named: Any) -> None:
        new.__init__ = _init(new, frozen=frozen)
        new.__init__(self, *values, **named)

    new.__init__ = init
    _follow_super(class_, new)
    return new


def _follow_super(old: type, new: type) -> None:
    """Let `super()` in methods of the class mean the class with slots."""
    for item in old.__dict__.values():
        method = item.fget if isinstance(item, property) else getattr(item, "__wrapped__", item)
        if isinstance(method, FunctionType) and "__class__" in method.__code__.co_freevars:
            cells = dict(zip(method.__code__.co_freevars, method.__closure__ or (), strict=True))
            cells["__class__"].cell_contents = new
            return  # all methods share the cell


def _init(class_: Any, *, frozen: bool) -> Any:
    """The `__init__` of a class, compiled as attrs does it."""
    scope: dict[str, Any] = {"NOTHING": _NOTHING, "put": object.__setattr__}
    positional, named, lines = ["self"], ["*"], [" pass"]
    for field in class_.__fields__.values():
        name, made = field.name, isinstance(field.value, _Factory)
        scope[f"default_{name}"] = field.value.factory if made else field.value
        scope[f"convert_{name}"] = field.converter
        if field.init:
            default = "NOTHING" if made else f"default_{name}"
            optional = "" if field.value is _NOTHING else f"={default}"
            (named if field.kw_only else positional).append(f"{field.parameter}{optional}")
        elif field.value is _NOTHING:
            continue
        lines.append(_assignment(field, frozen=frozen))
    if hasattr(class_, "__attrs_post_init__"):
        lines.append(" self.__attrs_post_init__()")
    parameters = ", ".join(positional + (named if len(named) > 1 else []))
    text = "\n".join([f"def __init__({parameters}):", *lines])
    code = compile(text, f"<{class_.__module__}.{class_.__qualname__}>", "exec")
    exec(code, scope)  # noqa: S102 - of names and defaults of the class alone
    init = scope["__init__"]
    init.__qualname__ = f"{class_.__qualname__}.__init__"
    return init


def _assignment(field: _Field, *, frozen: bool) -> str:
    """The line of `__init__` that sets a field."""
    name, value = field.name, field.parameter
    if isinstance(field.value, _Factory):
        made = f"default_{name}({'self' if field.value.takes_self else ''})"
        value = f"{made} if {value} is NOTHING else {value}" if field.init else made
    elif not field.init:
        value = f"default_{name}"
    if field.converter is not None:
        value = f"convert_{name}({value})"
    return f" put(self, {name!r}, {value})" if frozen else f" self.{name} = {value}"


class _Attributes:
    """The fields of a class as attrs knows them, made when they are first asked for."""

    def __get__(self, record: object, class_: Any) -> Any:
        import attrs

        given = {name: _attribute(field) for name, field in class_.__fields__.items()}
        made: Any = attrs.make_class(class_.__name__, given, init=False, repr=False, eq=False)
        class_.__attrs_attrs__ = made.__attrs_attrs__
        return class_.__attrs_attrs__


def _attribute(field: _Field) -> Any:
    import attrs

    value = field.value
    if isinstance(value, _Factory):
        value = attrs.Factory(value.factory, value.takes_self)  # type: ignore[call-overload]
    return attrs.field(
        default=attrs.NOTHING if value is _NOTHING else value,
        init=field.init,
        repr=field.repr,
        eq=field.eq,
        kw_only=field.kw_only,
        converter=field.converter,
        metadata=dict(field.metadata),
        type=field.type,
    )


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = _compared(self.__class__)
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash((self.__class__, _compared(self.__class__)(self)))


@cache
def _compared(class_: Any) -> Callable[[object], object]:
    return _reader([field.name for field in class_.__fields__.values() if field.eq])


def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in _fields(self.__class__) if f.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(*_: object) -> NoReturn:
    from attrs.exceptions import FrozenInstanceError

    raise FrozenInstanceError


def _get_state(self: Any) -> dict[str, Any]:
    return {name: getattr(self, name) for name in self.__fields__ if hasattr(self, name)}


def _set_state(self: Any, state: dict[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)


def _replace(self: Any, **changes: Any) -> Any:
    parameters, read = _parameters(self.__class__)
    return self.__class__(**dict(zip(parameters, read(self), strict=True), **changes))


@cache
def _parameters(class_: Any) -> tuple[list[str], Callable[[object], Iterable[Any]]]:
    """The parameters of `__init__`, and what reads their values."""
    given = [field for field in class_.__fields__.values() if field.init]
    return [field.parameter for field in given], _reader([field.name for field in given])


def _reader(names: Sequence[str]) -> Callable[[object], Any]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


_SHARED: Final = {
    "__attrs_attrs__": _Attributes(),
    "__getstate__": _get_state,
    "__setstate__": _set_state,
    "__replace__": _replace,
}


def needed(class_: Any) -> frozenset[str]:
    """The names of the fields that have no default."""
    return frozenset(field.name for field in _fields(class_) if field.value is _NOTHING)


def values(record: Any) -> dict[str, Any]:
    """What a record has in its fields."""
    return {name: getattr(record, name) for name in record.__fields__}


def _evolve(record: Any, **changes: Any) -> Any:
    return record.__replace__(**changes)


def _fields(class_: Any) -> tuple[_Field, ...]:
    return tuple(class_.__fields__.values())


if TYPE_CHECKING:
    from attrs import Factory, define, evolve, field, fields, frozen
else:
    Factory, define, evolve, field, fields = _Factory, _define, _evolve, _Field, _fields
    frozen = partial(_define, frozen=True)
