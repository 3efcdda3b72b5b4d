"""Equal parts of objects are kept once: the machines of an app have most in common. Pure."""

from __future__ import annotations

from operator import is_
from typing import Any

from fly_machines.model import Model, values


def sharing(value: Any, other: Any) -> Any:
    """The value, which nobody else has yet, with all that is equal in the other taken from it.

    Equal are values of one type: Python takes `1`, `1.0` and `True` for the same, JSON does not.
    Neither may be changed in place from then on.
    """
    kind = value.__class__
    if kind is not other.__class__:
        return value
    if kind is dict:
        same = _share_members(value, other)
    elif kind is list:
        value[: len(other)] = map(sharing, value, other)
        same = len(value) == len(other) and all(map(is_, value, other))
    elif isinstance(value, Model):
        same = _share_fields(value, other)
    else:
        same = value == other
    return other if same else value


def _share_members(value: dict[Any, Any], other: dict[Any, Any]) -> bool:
    same = value.keys() == other.keys()
    for key in value if same else value.keys() & other.keys():
        theirs = other[key]
        if value[key] is not theirs:
            value[key] = sharing(value[key], theirs)
            same = same and value[key] is theirs
    return same


def _share_fields(value: Model, other: Model) -> bool:
    same = True
    of_other = values(other)
    for name, mine in values(value).items():
        theirs = of_other[name]
        if mine is not theirs:
            shared = sharing(mine, theirs)
            same = same and shared is theirs
            if shared is not mine:
                setattr(value, name, shared)
    return same
