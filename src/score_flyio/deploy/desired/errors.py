"""What is wrong with an accepted fly.toml that no machine config can be made from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from score_flyio.base.place import path_of
from score_flyio.errors import InputError, Problem

_INDEX: Final = re.compile(r"\[\d+\]")
_T = TypeVar("_T")


class ConversionError(InputError):
    """A fly.toml passes validation, but a value in it cannot become a machine config.

    `field` is its place without the list indices; `code` the stable name of the problem.
    """

    code = "conversion_failed"
    stage = "convert"

    def __init__(self, place: str, code: str, message: str, *, hint: str | None = None) -> None:
        problem = Problem(message=message, path=path_of(place), hint=hint, code=code)
        super().__init__(f"{place}: {message}", hint=hint, code=code, problems=[problem])
        self.field = _INDEX.sub("", place)


def attempt(convert: Callable[[], _T]) -> tuple[_T | None, ConversionError | None]:
    """What a conversion gives, or why it fails."""
    try:
        return convert(), None
    except ConversionError as error:
        return None, error
