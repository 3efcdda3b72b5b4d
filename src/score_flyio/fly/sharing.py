"""Equal parts of objects are kept once: the machines of an app have most in common. Pure."""

from __future__ import annotations

from typing import Any

from fly_machines.model import Model


def sharing(value: Any, other: Any) -> Any:
    """The value, which nobody else has yet, with all that is equal in the other taken from it.

    Neither may be changed in place from then on.
    """
    if value.__class__ is not other.__class__:
        return value
    if value == other:
        return other
    if isinstance(value, Model):
        name: str
        for name in value.__slots__:
            setattr(value, name, sharing(getattr(value, name), getattr(other, name)))
    elif isinstance(value, dict) and isinstance(other, dict):
        for key in value.keys() & other.keys():
            value[key] = sharing(value[key], other[key])
    elif isinstance(value, list) and isinstance(other, list):
        value[: len(other)] = map(sharing, value, other)
    return value
