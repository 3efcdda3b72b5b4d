"""What all errors have in common: a message, a hint, and the problems of one file together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from score_flyio.base.document import Document
from score_flyio.base.place import Path, place_text
from score_flyio.base.record import evolve, frozen
from score_flyio.base.secret import Secret, masked


@frozen(kw_only=True)
class Problem(Document):
    """One thing wrong, or remarkable, with one input: where, what, and how to fix it."""

    written: ClassVar = ("message", "file", "line", "place", "hint", "code")
    message: str
    """What is wrong, with the value that is wrong."""
    file: str | None = None
    """The file as the user named it."""
    line: int | None = None
    """Line in the file, from 1."""
    path: Path = ()
    """Where in the document: names of keys and indexes of list items."""
    hint: str | None = None
    """What to do about it."""
    code: str = "invalid"
    """Stable name of the kind of problem."""
    kind: str = ""
    """What is told apart within a code: the rule of Score, or the stage of reading a fly.toml."""
    subject: str | None = None
    """The key, placeholder or name that it is about, where the path does not say it."""

    @property
    def place(self) -> str | None:
        """Where in the document, such as `containers.main.files[/etc/app.conf].source`."""
        return place_text(self.path) or None

    @property
    def key(self) -> str:
        """Code and subject as one text, such as `secret_variable:DB_PASSWORD`."""
        return self.code if self.subject is None else f"{self.code}:{self.subject}"

    def without(self, secrets: Iterable[Secret]) -> Problem:
        """The problem with secrets masked."""
        known = tuple(secrets)
        hint = self.hint and masked(self.hint, known)
        return evolve(self, message=masked(self.message, known), hint=hint)

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        head = ": ".join(part for part in (where, self.place) if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ScoreFlyError(Exception):
    """Base of all errors. `str()` says what went wrong; `hint` says what to do about it."""

    exit_code: ClassVar[int] = 1
    """What the command line ends with."""
    code: str = "failed"
    """Stable name of the kind of error, for machine-readable output."""
    logs: tuple[str, ...] = ()
    """What the machine said last that failed, where it was one and that can be read."""
    report: Any = None
    """What was done all the same, a `Document`, where the error ends a run."""

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

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made again from their messages alone, and many of ours need more.
        return Exception.__new__, (type(self), *self.args), self.__dict__

    def as_problems(self, file: str | None = None) -> tuple[Problem, ...]:
        """Its problems, or else itself as one, with the file that it is about."""
        alone = Problem(message=self.message, hint=self.hint, code=self.code, file=file)
        return self.problems or (alone,)

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Mask secrets in all that it says: texts of others may repeat what they were given."""
        known = tuple(secrets)
        self.message = masked(self.message, known)
        self.args = (self.message,)
        self.hint = None if self.hint is None else masked(self.hint, known)
        self.problems = tuple(problem.without(known) for problem in self.problems)


@frozen(kw_only=True)
class Failure(Document):
    """What is said of one error, for people and for programs."""

    exit_code: int
    """What a command ends with for it."""
    code: str
    """Stable name of the kind of error."""
    message: str
    """What went wrong."""
    hint: str | None = None
    """What to do about it."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with a file, where it is about one."""
    logs: tuple[str, ...] = ()
    """What the machine said last that failed."""
    failures: tuple[Failure, ...] = ()
    """The single failures, where several things failed."""

    @classmethod
    def of(cls, error: ScoreFlyError, *failures: Failure) -> Failure:
        """What is said of an error of ours, with the single failures."""
        return cls(
            exit_code=error.exit_code,
            code=error.code,
            message=error.message,
            hint=error.hint,
            problems=error.problems,
            logs=error.logs,
            failures=failures,
        )
