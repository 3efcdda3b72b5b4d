"""What is said of an error, for people and for programs."""

from __future__ import annotations

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.errors.base import Problem, ScoreFlyError


@frozen(kw_only=True)
class Failure(Document):
    """One error."""

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
