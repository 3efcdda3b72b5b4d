"""What the many data classes share instead of compiling it for each of them.

attrs writes and compiles the methods of every class when its module is imported. Equality, hash
and repr are half of that, and every start of the command line waits for it.
"""

from __future__ import annotations

from typing import Any, cast

import attrs


class Record:
    """Base of attrs classes made with `eq=False, repr=False`: these three work as attrs' own."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash((type(self), self._compared()))

    def __repr__(self) -> str:
        shown = (
            f"{field.name}={getattr(self, field.name)!r}" for field in _fields(self) if field.repr
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _compared(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in _fields(self) if field.eq)


def _fields(record: Record) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(
        cast("type[attrs.AttrsInstance]", type(record))
    )
    return fields
