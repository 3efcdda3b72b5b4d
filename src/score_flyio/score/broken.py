"""How it is told that a Score document breaks a rule."""

from __future__ import annotations

from score_flyio.base.place import Path
from score_flyio.errors import Problem


def broken(
    rule: str, path: Path, message: str, hint: str | None = None, subject: str | None = None
) -> Problem:
    """The problem of a broken rule, such as `required` or `before_cycle`, at a path."""
    return Problem(
        code="schema_invalid", kind=rule, path=path, message=message, hint=hint, subject=subject
    )
