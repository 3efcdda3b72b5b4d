"""The keys of each section, read off the classes in `spec`.

Reading, strict checking and writing are all driven by this one table.
"""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from score_flyio.app.spec import AutoStop, PersistRootfs
from score_flyio.app.values import Duration
from score_flyio.record import Record

_INT64: Final = (-(2**63), 2**63 - 1)

Kind = Literal[
    "text", "int", "float", "bool", "duration", "auto_stop", "persist_rootfs",
    "section", "list", "map", "any",
]  # fmt: skip


@frozen(eq=False, repr=False)
class Shape(Record):
    """What values a key takes: a scalar, a section, or a list or map of something."""

    kind: Kind
    section: type | None = None
    item: Shape | None = None


@frozen(kw_only=True, eq=False, repr=False)
class Key(Record):
    """One key of a section."""

    name: str
    """As spelled in the file."""
    attribute: str
    shape: Shape
    optional: bool
    """`None` means absent, so that zero values are kept."""
    written: tuple[str, ...] = ()
    """Formats that get even a zero value."""
    minimum: int = _INT64[0]
    maximum: int = _INT64[1]


@cache
def keys_of(section: type) -> dict[str, Key]:
    """The keys of a section by name, in the order of writing."""
    hints = get_type_hints(section)
    keys = (_key(attribute, hints[attribute.name]) for attribute in attrs.fields(section))
    return {key.name: key for key in keys}


def _key(attribute: Any, hint: Any) -> Key:
    metadata = attribute.metadata
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return Key(
        name=metadata.get("key", attribute.name),
        attribute=attribute.name,
        shape=_shape(next(option for option in options if option is not NoneType)),
        optional=NoneType in options,
        written=metadata.get("written", ()),
        minimum=metadata.get("minimum", _INT64[0]),
        maximum=metadata.get("maximum", _INT64[1]),
    )


_SCALARS: Final[dict[Any, Kind]] = {
    str: "text",
    int: "int",
    float: "float",
    bool: "bool",
    Duration: "duration",
    AutoStop: "auto_stop",
    PersistRootfs: "persist_rootfs",
    Any: "any",
}


def _shape(hint: Any) -> Shape:
    if (scalar := _SCALARS.get(hint)) is not None:
        return Shape(scalar)
    if attrs.has(hint):
        return Shape("section", section=hint)
    if get_origin(hint) is tuple:
        return Shape("list", item=_shape(get_args(hint)[0]))
    return Shape("map", item=_shape(get_args(hint)[1]))
