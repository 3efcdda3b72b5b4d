"""What all errors have in common: a message, a hint, and the problems of one file together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen

from score_flyio.base.record import Record


@frozen(kw_only=True, eq=False, repr=False)
class Problem(Record):
    """One thing wrong with one input: where, what, and how to fix it."""

    message: str
    """What is wrong, with the value that is wrong."""
    file: str | None = None
    """The file as the user named it."""
    line: int | None = None
    """Line in the file, from 1."""
    place: str | None = None
    """Path inside the document, such as `containers.main.files[/etc/app.conf].source`."""
    hint: str | None = None
    """What to do about it."""
    code: str = "invalid"
    """Stable name of the kind of problem."""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        head = ": ".join(part for part in (where, self.place) if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ScoreFlyError(Exception):
    """Base of all errors. `str()` says what went wrong; `hint` says what to do about it."""

    exit_code: ClassVar[int] = 1
    code: str = "failed"
    """Stable name of the kind of error, for machine-readable output."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)
        if code is not None:
            self.code = code
