"""The keys of each section, read off the classes in `spec`.

Reading, strict checking and writing are all driven by this one table. What a key takes is told by
the text of its annotation.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal

from score_flyio.base.record import fields, frozen
from score_flyio.flytoml import spec

_INT64: Final = (-(2**63), 2**63 - 1)

Kind = Literal[
    "text", "int", "float", "bool", "duration", "auto_stop", "persist_rootfs",
    "section", "list", "map", "any",
]  # fmt: skip


@frozen
class Shape:
    """What values a key takes: a scalar, a section, or a list or map of something."""

    kind: Kind
    section: type | None = None
    item: Shape | None = None


@frozen(kw_only=True)
class Key:
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
    keys = map(_key, fields(section))
    return {key.name: key for key in keys}


def _key(attribute: Any) -> Key:
    metadata = attribute.metadata
    hint = attribute.type.removesuffix(_OPTIONAL)
    return Key(
        name=metadata.get("key", attribute.name),
        attribute=attribute.name,
        shape=_shape(hint),
        optional=hint != attribute.type and "zero" not in metadata,
        written=metadata.get("written", ()),
        minimum=metadata.get("minimum", _INT64[0]),
        maximum=metadata.get("maximum", _INT64[1]),
    )


_OPTIONAL: Final = " | None"
_SCALARS: Final[dict[str, Kind]] = {
    "str": "text",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "Duration": "duration",
    "AutoStop": "auto_stop",
    "PersistRootfs": "persist_rootfs",
    "Any": "any",
}


def _shape(hint: str) -> Shape:
    if (scalar := _SCALARS.get(hint)) is not None:
        return Shape(scalar)
    generic, _, arguments = hint.removesuffix("]").partition("[")
    if generic == "tuple":
        return Shape("list", item=_shape(arguments.removesuffix(", ...")))
    if generic == "dict":
        return Shape("map", item=_shape(arguments.removeprefix("str, ")))
    return Shape("section", section=getattr(spec, hint))
