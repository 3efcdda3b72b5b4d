"""What is wrong with an accepted fly.toml that no machine config can be made from."""

from __future__ import annotations

from score_flyio.base.place import path_of
from score_flyio.errors import InputError, Problem


class ConversionError(InputError):
    """A fly.toml passes validation, but a value in it cannot become a machine config.

    `field` is the dotted key path without list indices; `code` the stable name of the problem.
    """

    code = "conversion_failed"
    stage = "convert"

    def __init__(self, field: str, code: str, message: str, *, hint: str | None = None) -> None:
        problem = Problem(message=message, path=path_of(field), hint=hint, code=code)
        super().__init__(f"{field}: {message}", hint=hint, code=code, problems=[problem])
        self.field = field
