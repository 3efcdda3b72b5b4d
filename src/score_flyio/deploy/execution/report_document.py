"""A report as programs read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.record import field, frozen
from score_flyio.errors.failure import Failure

RunOutcome: TypeAlias = Literal["done", "unchanged", "unhealthy", "failed", "interrupted"]


@frozen(kw_only=True)
class StepReportDocument(Document):
    """One step as it went."""

    description: str
    """What it does, for people."""
    outcome: str
    """How it ended."""
    started: float
    """Seconds from the start of the run."""
    seconds: float
    """What it took."""
    error: str | None
    """What went wrong."""


@frozen(kw_only=True)
class AppReportDocument(Document):
    """One app as it went."""

    app: str
    """Its name at Fly."""
    workload: str
    """How it is called: the workload, or the app."""
    outcome: RunOutcome
    """How it ended."""
    url: str | None
    """Where it is reached."""
    release: int | None
    """The release that the run made, or that runs as it was."""
    machines: Mapping[str, int]
    """How many machines of it are in which state."""
    addresses: tuple[str, ...]
    """Of the app, where the run looked at them."""
    files: tuple[str, ...]
    """What the run wrote for it."""
    account: str | None
    """How far it came, where it was cut short."""
    seconds: float
    """What it took."""
    steps: tuple[StepReportDocument, ...]
    """What was done, in the order in which it began."""
    recovery: tuple[StepReportDocument, ...]
    """What was done after a failure."""
    notes: tuple[str, ...]
    """What is remarkable of the plan."""
    errors: tuple[Failure, ...]
    """What went wrong."""


@frozen(kw_only=True)
class ReportDocument(Document):
    """How a run ended."""

    outcome: RunOutcome
    """The worst outcome of any app."""
    exit_code: int
    """What the command ends with."""
    seconds: float
    """From the beginning to the end."""
    target: str
    """Where the run went."""
    apps: tuple[AppReportDocument, ...]
    """In the order in which they were planned."""
    error: Failure | None = field(default=None, metadata=MAY_BE_MISSING)
    """What ended it before its end."""
