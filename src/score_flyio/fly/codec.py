"""JSON ↔ the data classes of `fly_machines`, open to what the API adds.

Fields that the document does not know are kept in `extra` and written back: a machine update
replaces the whole configuration, so a dropped field would be a lost setting. Enum values that the
document does not list pass. Scalars are not coerced: a text where a number belongs is an error.

In the configs of machines that the API answers with, even such a member is only kept, as one that
the document does not know: the platform spells durations, `autostop` and sizes in more ways than
are documented, and one odd scalar must not make a whole app unreadable.

How a type is read, and a member of a class, is found out for its first value: of all that can be
in a config little is, and a short command has few values.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from fly_machines import models
from fly_machines.model import Model, values
from score_flyio.base.place import Path
from score_flyio.base.record import fields, needed
from score_flyio.errors import Problem
from score_flyio.fly.elements import Elements, sharing

T = TypeVar("T")
Read: TypeAlias = Callable[[Any], Any]
SCALARS: Final[Mapping[type, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
}
STRICT: Final = frozenset({"id", "state", "image", "volume"})
"""Members that are never odd, for everything else depends on them."""


class ShapeError(ValueError):
    """A document does not have the shape of the type; `problems` has all the places."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


def structure(data: Any, type_: type[T], *, tolerant: bool = False) -> T:
    """The JSON value as an object of the type.

    Raises ShapeError with every place that does not fit, and what is there, never the value itself.
    """
    wanted: Any = type_
    try:
        result: T = _reader(wanted, tolerant)(data)
    except _MisfitError as misfit:
        raise ShapeError([Problem(path=path, message=text) for path, text in misfit.all]) from None
    return result


def structure_answer(data: Any, type_: type[T]) -> T:
    """The same for what the API answered, open to odd members of the configs of machines.

    Raises ShapeError, and JSONDecodeError for `Elements` of a text that is no JSON.
    """
    if isinstance(data, Elements) and get_origin(type_) is not list:
        data = list(data)
    return structure(data, type_, tolerant=True)


def unstructure(value: Any) -> Any:
    """The object as a JSON value; fields that have their default (None) are left out."""
    if type(value) in SCALARS:
        return value
    if isinstance(value, Model):
        return _written(value)
    if isinstance(value, dict):
        return {key: unstructure(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [unstructure(each) for each in value]
    return value


def is_model(type_: Any) -> bool:
    """Whether a type is a class of the API's document."""
    return isinstance(type_, type) and issubclass(type_, Model)


def _written(model: Any) -> dict[str, Any]:
    class_: Any = type(model)
    demanded = _needed(class_)
    result: dict[str, Any] = {}
    found = values(model)
    for name in _members(class_):
        value = found[name]
        if value is not None or name in demanded:
            result[name] = value if type(value) in SCALARS else unstructure(value)
    for key, more in model.extra.items():
        result.setdefault(key, unstructure(more))
    return result


class _MisfitError(Exception):
    """What does not fit in a value, each with its place there."""

    def __init__(self, *misfits: tuple[Path, str], final: bool = False) -> None:
        super().__init__()
        self.all = misfits
        self.final = final
        """Whether more does not fit than odd members."""


def _wrong(expected: str, value: Any) -> _MisfitError:
    kind = SCALARS.get(type(value), type(value).__name__)
    if isinstance(value, Mapping | list):
        kind = "a list" if isinstance(value, list) else "an object"
    return _MisfitError(((), f"expected {expected}, found {kind}"))


def _within(parts: Mapping[Any, _MisfitError], *, final: bool = False) -> _MisfitError:
    """What does not fit in a whole, by what does not fit in its parts."""
    misfits = [((place, *path), text) for place, part in parts.items() for path, text in part.all]
    return _MisfitError(*misfits, final=final or any(part.final for part in parts.values()))


def _choices(type_: Any) -> tuple[Any, ...]:
    return get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)


@cache
def _reader(type_: Any, tolerant: bool) -> Read:  # noqa: FBT001
    """What reads the values of a type. It raises _MisfitError."""
    choices = _choices(type_)
    inner = [each for each in choices if each is not NoneType]
    if len(inner) != 1 or inner[0] in SCALARS:
        return _scalar_reader(choices, tolerant=tolerant)
    if len(choices) > 1:
        read = _reader(inner[0], tolerant)
        return lambda value: None if value is None else read(value)
    if type_ is Any:
        return lambda value: value
    origin, parts = get_origin(type_), get_args(type_)
    if origin is Literal:
        return _word_reader(parts, tolerant=tolerant)
    if origin is list:
        return _list_reader(_reader(parts[0], tolerant))
    if origin is dict:
        return _mapping_reader(_reader(parts[1], tolerant))
    return _class_reader(type_, tolerant=tolerant)


def _scalar_reader(choices: Iterable[Any], *, tolerant: bool) -> Read:
    """Of one kind of scalars or several: `bool | Literal["off", "stop"] | None`."""
    found: set[type] = set()
    for each in choices:
        found |= {type(v) for v in get_args(each)} if get_origin(each) is Literal else {each}
    expected = " or ".join(sorted(SCALARS[kind] for kind in found - {NoneType} or found))
    kinds = (*found, int) if float in found else tuple(found)

    def read(value: Any) -> Any:
        kind = type(value)
        if kind in kinds or (kind is not bool and isinstance(value, kinds)):
            return value
        if tolerant and int in kinds and kind is float and value.is_integer():
            return int(value)  # whole numbers are spelt so, too: `256.0`
        raise _wrong(expected, value)

    return read


def _word_reader(words: Iterable[Any], *, tolerant: bool) -> Read:
    kinds = tuple(SCALARS) if tolerant else tuple({type(word) for word in words})

    def read_word(value: Any) -> Any:
        if value is None or not isinstance(value, kinds):
            raise _wrong("a text or a number" if tolerant else "a text", value)
        return value

    return read_word


def _list_reader(read: Read) -> Read:
    def read_list(value: Any) -> list[Any]:
        if not isinstance(value, list | Elements):
            raise _wrong("a list", value)
        read_one = _sharing_reader(read) if isinstance(value, Elements) else read
        return list(_all(read_one, enumerate(value)).values())

    return read_list


def _sharing_reader(read: Read) -> Read:
    """Of the elements of one list: what is equal in the one before is kept once."""
    last: Any = None

    def read_sharing(value: Any) -> Any:
        nonlocal last
        last = sharing(read(value), last)
        return last

    return read_sharing


def _mapping_reader(read: Read) -> Read:
    def read_mapping(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise _wrong("an object", value)
        return _all(read, value.items())

    return read_mapping


def _all(read: Read, parts: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    result, misfits = {}, {}
    for place, part in parts:
        try:
            result[place] = read(part)
        except _MisfitError as misfit:
            misfits[place] = misfit
    if misfits:
        raise _within(misfits)
    return result


def _class_reader(class_: Any, *, tolerant: bool) -> Read:
    members, demanded = _members(class_), _needed(class_)
    keeps_odd = tolerant and class_ in _parts_of_configs()

    @cache
    def reader(name: str) -> Read:
        return _reader(_type(class_, name), tolerant)

    def read_object(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _wrong("an object", value)
        known, extra, misfits = {}, {}, {}
        for name, member in value.items():
            if name not in members:
                extra[name] = member
                continue
            try:
                known[name] = reader(name)(member)
            except _MisfitError as misfit:
                misfits[name] = misfit
        misfits |= {name: _MISSING for name in demanded if name not in value}
        if misfits:
            if not keeps_odd or any(_is_final(class_, k, value, misfits[k]) for k in misfits):
                raise _within(misfits, final=True)
            extra |= {name: value[name] for name in misfits}
        result = class_(**known)
        if extra and is_model(class_):
            result.extra = extra
        return result

    return read_object


_MISSING: Final = _MisfitError(((), "it is missing"), final=True)


def _is_final(class_: Any, name: str, value: Mapping[str, Any], misfit: _MisfitError) -> bool:
    """Whether a member that does not fit is more than odd: only scalars are, and lists of them."""
    never = name in STRICT or name in _needed(class_)
    return never or misfit.final or not _is_alike(value[name], _type(class_, name))


def _is_alike(value: Any, type_: Any) -> bool:
    """Whether a value is a scalar, list or object as the type is."""
    shapes = [
        list if get_origin(m) is list else Mapping if get_origin(m) is dict or is_model(m) else None
        for m in _choices(type_)
        if m is not NoneType
    ]
    return next((s for s in (list, Mapping) if isinstance(value, s)), None) in shapes


@cache
def _members(class_: Any) -> Mapping[str, str]:
    """Types of the members that a class knows, in the words of its annotations."""
    if is_model(class_):
        return {k: v for k, v in class_.__annotations__.items() if k != "extra"}
    return {field.name: field.type for field in fields(class_)}


@cache
def _needed(class_: Any) -> frozenset[str]:
    """The members that have to be there."""
    if is_model(class_):
        return frozenset(_members(class_).keys() - class_.__init__.__kwdefaults__.keys())
    return needed(class_)


def _type(class_: Any, member: str) -> Any:
    return _evaluated(class_.__module__, _members(class_)[member])


@cache
def _evaluated(module: str, words: str) -> Any:
    # Most words are those of many members, and `get_type_hints` evaluates all of a class.
    return eval(words, vars(sys.modules[module]))  # noqa: S307 - of annotations in our sources


@cache
def _parts_of_configs() -> frozenset[type]:
    """The config of a machine and all that can be in it, its events and results of checks."""
    found: set[type] = set()
    waiting = ["FlyMachineConfig", "MachineEvent", "CheckStatus"]
    while waiting:
        type_: Any = getattr(models, waiting.pop(), None)
        if is_model(type_) and type_ not in found:
            found.add(type_)
            waiting += re.findall(r"\w+", " ".join(_members(type_).values()))
    return frozenset(found)
