"""What the many data classes share instead of compiling it for each of them.

attrs writes and compiles the methods of every class when its module is imported. Equality, hash
and repr are half of that, and every start of the command line waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

import attrs


class Record:
    """Base of attrs classes made with `eq=False, repr=False`: these three work as attrs' own."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return bool(self._compared() == other._compared())

    def __hash__(self) -> int:
        return hash((type(self), self._compared()))

    def __repr__(self) -> str:
        shown = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in _fields(type(self))
            if field.repr
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _compared(self) -> Any:
        class_: Any = type(self)
        return _reader(class_)(self)


@cache
def _reader(class_: Any) -> Callable[[Record], Any]:
    """What reads all values that count for equality."""
    names = [field.name for field in _fields(class_) if field.eq]
    return attrgetter(*names) if names else lambda _: ()


def _fields(class_: Any) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(class_)
    return fields
