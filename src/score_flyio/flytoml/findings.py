"""What is wrong, or remarkable, with a fly.toml."""

from __future__ import annotations

import re
from typing import Final, Literal

from attrs import frozen

from score_flyio.errors import Problem

Stage = Literal["parse", "decode", "validate", "convert"]
_INDEX: Final = re.compile(r"\[[0-9]+\]")


@frozen(kw_only=True)
class Finding:
    """One error or warning, named as flyctl's rules name it, and told as a person needs it."""

    stage: Stage
    code: str
    """Stable name of the broken rule, such as `wrong_type` or `out_of_range`."""
    place: str
    """Path of the key with list indices, such as `mounts[1].initial_size`; `""` for the file."""
    message: str
    hint: str | None = None
    line: int | None = None

    @property
    def field(self) -> str:
        """The path without list indices."""
        return _INDEX.sub("", self.place)

    def as_json(self) -> dict[str, str]:
        """Stage, field and code: the members that other tools compare."""
        return {"stage": self.stage, "field": self.field, "code": self.code}

    def problem(self, file: str | None, line: int | None = None) -> Problem:
        """The same for a person."""
        return Problem(
            message=self.message,
            file=file,
            line=self.line or line,
            place=self.place or None,
            hint=self.hint,
            code=self.code,
        )
