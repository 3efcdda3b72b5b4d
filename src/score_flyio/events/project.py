"""Events of every work on a project: what is read, written and warned of."""

from __future__ import annotations

from score_flyio.base.record import frozen
from score_flyio.events.base import Event


@frozen(kw_only=True)
class WorkloadLoaded(Event):
    """A Score file was read and is valid."""

    file: str
    """The file, as the user knows it."""


@frozen(kw_only=True)
class WarningRaised(Event):
    """Something a person should know that stops nothing."""

    kind = "warning"
    message: str
    """What to know."""
    code: str = "warning"
    """Stable name of the kind of warning, with what it is about."""


@frozen(kw_only=True)
class StateSaved(Event):
    """The project state is safe in its store."""


@frozen(kw_only=True)
class FileWritten(Event):
    """A file was written."""

    file: str
    """The file, as the user knows it."""
