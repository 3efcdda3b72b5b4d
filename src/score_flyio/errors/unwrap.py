"""Failures of task groups as single errors: no ExceptionGroup leaves the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from score_flyio.errors import DeployError, ScoreFlyError


def leaves(error: BaseException) -> list[BaseException]:
    """The errors inside nested groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raises what is inside an ExceptionGroup: a bug before an error, several errors as one."""
    try:
        yield
    except BaseExceptionGroup as group:
        found = leaves(group)
        for error in found:
            if not isinstance(error, ScoreFlyError):
                raise error from group
        errors = [error for error in found if isinstance(error, ScoreFlyError)]
        if len(errors) == 1:
            raise errors[0] from group
        message = "\n".join(error.message for error in errors)
        raise DeployError(message, failures=errors) from group
