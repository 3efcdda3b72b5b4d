"""JSON ↔ the data classes of `fly_machines`, open to what the API adds.

Fields that the document does not know are kept in `extra` and written back: a machine update
replaces the whole configuration, so a dropped field would be a lost setting. Enum values that the
document does not list pass. Scalars are not coerced: a text where a number belongs is an error.

In the configs of machines that the API answers with, even such a member is only kept, as one that
the document does not know: the platform spells durations, `autostop` and sizes in more ways than
are documented, and one odd scalar must not make a whole app unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from json import JSONDecodeError
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from cattrs import BaseConverter, Converter, transform_error
from cattrs.cols import is_sequence, list_structure_factory
from cattrs.gen import (
    make_dict_structure_fn,
    make_dict_unstructure_fn,
    mapping_structure_factory,
    override,
)

from fly_machines import models
from fly_machines.model import Model
from score_flyio.base.record import frozen
from score_flyio.fly.elements import Elements
from score_flyio.fly.sharing import sharing

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
SCALARS: Final = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@frozen
class Misfit:
    """One place in a document that does not have the expected shape."""

    place: str
    """Path from the root, such as `$.config.guest.cpus`."""
    message: str
    """What was expected and what kind of value is there; never the value itself."""


class ShapeError(ValueError):
    """A document does not have the shape of the type; `misfits` has all the places."""

    def __init__(self, misfits: Sequence[Misfit]) -> None:
        super().__init__("; ".join(f"{misfit.place}: {misfit.message}" for misfit in misfits))
        self.misfits = tuple(misfits)


def structure(data: Any, type_: type[T]) -> T:
    """The JSON value as an object of the type.

    Raises ShapeError with every place that does not fit.
    """
    try:
        return _converter.structure(data, type_)
    except Exception as error:
        raise ShapeError(_misfits(error)) from error


def structure_answer(data: Any, type_: type[T]) -> T:
    """The same for what the API answered, open to odd members of the configs of machines.

    Raises ShapeError with every place that does not fit, and ValueError for `Elements` of a text
    that is no JSON.
    """
    try:
        if isinstance(data, Elements) and get_origin(type_) is list:
            with suppress(Exception):  # the list as a whole tells all that is wrong with it
                found: Any = _structure_elements(data, *get_args(type_))
                return found  # type: ignore[no-any-return]
        return _tolerant.structure(list(data) if isinstance(data, Elements) else data, type_)
    except JSONDecodeError:
        raise
    except Exception as error:
        raise ShapeError(_misfits(error)) from error


def _structure_elements(elements: Elements, type_: type[T]) -> list[T]:
    found: list[T] = []
    for element in elements:
        made = _tolerant.structure(element, type_)
        found.append(sharing(made, found[-1]) if found else made)
    return found


def unstructure(value: Any) -> Any:
    """The object as a JSON value; fields that have their default (None) are left out."""
    return _converter.unstructure(value)


def _misfits(error: Exception) -> list[Misfit]:
    lines = transform_error(error, format_exception=_describe)
    parts = (line.rpartition(" @ ") for line in lines)
    return [Misfit(place, message) for message, _, place in parts]


def _describe(error: BaseException, _type: type | None) -> str:
    if isinstance(error, KeyError):
        return f"the field {error.args[0]!r} is missing"
    return str(error) if isinstance(error, _WrongKindError) else type(error).__name__


class _WrongKindError(TypeError):
    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(f"expected {expected}, found {_kind(value)}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    return SCALARS.get(type(value), type(value).__name__)


def _is_scalar(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _structure_scalar(value: Any, kind: type) -> Any:
    if not _is_scalar(value, kind):
        raise _WrongKindError(SCALARS[kind], value)
    return value


def _structure_nothing(value: Any, _type: Any) -> None:
    if value is not None:
        raise _WrongKindError("nothing", value)


def _is_literal(type_: Any) -> bool:
    origin: Any = get_origin(type_)
    return origin is Literal


def _is_mapping(type_: Any) -> bool:
    origin: Any = get_origin(type_)
    return origin is dict


def _structure_literal(value: Any, _type: Any) -> Any:
    if isinstance(value, (Mapping, list)) or value is None:
        raise _WrongKindError("a text or a number", value)
    return value


def _is_scalar_union(type_: Any) -> bool:
    """A union of several scalars: `bool | Literal["off", "stop"] | None`."""
    if get_origin(type_) not in (Union, UnionType):
        return False
    members = [member for member in get_args(type_) if member is not NoneType]
    return len(members) > 1 and all(m in SCALARS or _is_literal(m) for m in members)


def _structure_scalar_union(value: Any, type_: Any) -> Any:
    kinds: set[type] = set()
    for member in get_args(type_):
        kinds |= {type(v) for v in get_args(member)} if _is_literal(member) else {member}
    if any(value is None if kind is NoneType else _is_scalar(value, kind) for kind in kinds):
        return value
    raise _WrongKindError(" or ".join(sorted(SCALARS.get(k, "null") for k in kinds)), value)


def _demanding(kind: type, expected: str, inner: Hook) -> Hook:
    """The hook, for values of this kind only."""

    def demanding(value: Any, type_: Any) -> Any:
        if not isinstance(value, kind):
            raise _WrongKindError(expected, value)
        return inner(value, type_)

    return demanding


def _list_hook(type_: Any, converter: BaseConverter) -> Hook:
    return _demanding(list, "a list", list_structure_factory(type_, converter))


def _mapping_hook(type_: Any, converter: BaseConverter) -> Hook:
    return _demanding(Mapping, "an object", mapping_structure_factory(type_, converter, dict))


def _class_hook(type_: Any, converter: Converter) -> Hook:
    names = {field.name for field in attrs.fields(type_)}
    if "extra" not in names:
        return _demanding(Mapping, "an object", make_dict_structure_fn(type_, converter))
    known = names - {"extra"}
    known_fields = make_dict_structure_fn(type_, converter, extra=override(omit=True))

    def structure_open(value: Any, type_: Any) -> Any:
        result = known_fields(value, type_)
        if unknown := value.keys() - known:
            result.extra = {key: value[key] for key in value if key in unknown}
        return result

    return _demanding(Mapping, "an object", structure_open)


STRICT: Final = frozenset({"id", "state", "image", "volume"})
"""Members that are never odd, for everything else depends on them."""


def _tolerant_hook(type_: Any, converter: Converter) -> Hook:
    """The hook of a part of a config: members of another kind are kept in `extra`."""
    strict = _class_hook(type_, converter)
    if type_ not in _parts_of_configs():
        return strict

    def structure_tolerant(value: Any, type_: Any) -> Any:
        try:
            return strict(value, type_)
        except Exception as error:
            if not isinstance(value, Mapping):
                raise
            hints = get_type_hints(type_)
            needed = {f.name for f in attrs.fields(type_) if f.default is attrs.NOTHING}
            odd = [name for name in hints if name in value and not _fits(value[name], hints[name])]
            final = not needed.isdisjoint(odd) or _is_strict(error, odd)
            if not odd or final or not all(_is_alike(value[name], hints[name]) for name in odd):
                _mark(error)
                raise
            result = strict({k: v for k, v in value.items() if k not in odd}, type_)
            result.extra = {**result.extra, **{name: value[name] for name in odd}}
            return result

    def _fits(member: Any, kind: Any) -> bool:
        try:
            converter.structure(member, kind)
        except Exception:  # noqa: BLE001 - any failure means that it does not fit
            return False
        return True

    return structure_tolerant


def _is_alike(value: Any, type_: Any) -> bool:
    """Whether a value is a scalar, list or object as the type is; only scalars are odd."""
    members = get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)
    shapes = {
        list if is_sequence(m) else Mapping if _is_mapping(m) or attrs.has(m) else object
        for m in members
        if m is not NoneType
    }
    found = next((shape for shape in (list, Mapping) if isinstance(value, shape)), object)
    return found in shapes


def _is_strict(error: BaseException, odd: Sequence[str]) -> bool:
    """Whether what does not fit is, or has in it, a member that is never odd."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return not STRICT.isdisjoint(odd) or any(_is_marked(each) for each in inner)


_MARK: Final = "strict"


def _mark(error: Exception) -> None:
    error.add_note(_MARK)


def _is_marked(error: BaseException) -> bool:
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return _MARK in getattr(error, "__notes__", ()) or any(map(_is_marked, inner))


@cache
def _parts_of_configs() -> frozenset[type]:
    """The config of a machine and all that can be in it, its events and results of checks."""
    # The words of annotations tell it, too, and evaluating them all takes long.
    found: set[type] = set()
    waiting = ["FlyMachineConfig", "MachineEvent", "CheckStatus"]
    while waiting:
        type_: Any = getattr(models, waiting.pop(), None)
        if _is_model(type_) and type_ not in found:
            found.add(type_)
            waiting += re.findall(r"\w+", " ".join(type_.__annotations__.values()))
    return frozenset(found)


def _structure_whole_number(value: Any, _type: Any) -> Any:
    """A whole number, also where it is spelt as a float: `256.0`."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else _structure_scalar(value, int)


def _class_writer(type_: Any, converter: Converter) -> Callable[[Any], Any]:
    known_fields: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(
        type_, converter, _cattrs_omit_if_default=True, extra=override(omit=True)
    )

    def unstructure_open(value: Any) -> dict[str, Any]:
        result = known_fields(value)
        for key, more in value.extra.items():
            result.setdefault(key, converter.unstructure(more))
        return result

    return unstructure_open


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, Model)


def _when_used(make: Callable[[Any, Converter], Callable[..., Any]]) -> Any:
    """A factory whose hooks are made for their first value: most that can be in a config is not."""

    def factory(type_: Any, converter: Converter) -> Callable[..., Any]:
        made: Callable[..., Any] | None = None

        def hook(*value_and_type: Any) -> Any:
            nonlocal made
            if made is None:
                made = make(type_, converter)
            return made(*value_and_type)

        return hook

    return factory


def _open_converter(*, tolerant: bool) -> Converter:
    converter = Converter(omit_if_default=True)
    for kind in SCALARS:
        converter.register_structure_hook(kind, _structure_scalar)
    converter.register_structure_hook(NoneType, _structure_nothing)
    converter.register_structure_hook_func(_is_literal, _structure_literal)
    converter.register_structure_hook_func(_is_scalar_union, _structure_scalar_union)
    converter.register_structure_hook_factory(is_sequence, _list_hook)
    converter.register_structure_hook_factory(_is_mapping, _mapping_hook)
    hook = _when_used(_tolerant_hook if tolerant else _class_hook)
    converter.register_structure_hook_factory(attrs.has, hook)
    converter.register_structure_hook_factory(_is_model, hook)
    if tolerant:
        converter.register_structure_hook(int, _structure_whole_number)
    converter.register_unstructure_hook_factory(_is_model, _when_used(_class_writer))
    return converter


_converter: Final = _open_converter(tolerant=False)
_tolerant: Final = _open_converter(tolerant=True)
