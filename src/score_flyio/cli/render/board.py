"""What a run looks like right now: one line a workload, one a resource, one a machine.

Pure: built from events, and turned into lines of text for a given moment and size.
"""

from attrs import define, evolve, field

from score_flyio import events
from score_flyio.cli.render.wording import duration, subject

_DONE = {"done", "unchanged", "failed", "unhealthy", "interrupted"}


@define
class Row:
    """One line of the board."""

    label: str
    since: float
    """When its present activity began, in seconds since the epoch."""
    activity: str = ""
    checks: str = ""
    seconds: float | None = None
    """How long it took, once it is finished."""

    def text(self, now: float, label_width: int) -> str:
        elapsed = duration(max(0.0, now - self.since) if self.seconds is None else self.seconds)
        parts = (self.label.ljust(label_width), self.activity, self.checks, elapsed)
        return "  ".join(part for part in parts if part.strip())


@define
class Board:
    """Follows the events of one run."""

    rows: dict[str, Row] = field(factory=dict)
    """By subject; a machine's row comes under the one of its workload."""

    def handle(self, event: events.Event) -> None:
        """Take note of one event."""
        about = subject(event.scope)
        if not about:
            return
        match event:
            case events.MachineStateChanged():
                place = f" in {event.region}" if event.region else ""
                self._row(about, event).activity = f"{event.state}{place}"
            case events.CheckChanged():
                self._row(about, event).checks = f"{event.passing}/{event.total} checks"
            case events.StepStarted():
                self._begin(about, event, event.description)
            case events.StepFinished() if event.scope.machine and event.scope.group:
                # A machine that was being made had no id yet: its row was that of its group.
                self.rows.pop(subject(evolve(event.scope, machine=None)), None)
            case events.StepFailed():
                self._begin(about, event, f"failed: {event.description}")
            case events.ProvisioningStarted():
                self._begin(about, event, "provisioning")
            case events.ProvisioningFinished():
                self._end(about, event, "provisioned", event.seconds)
            case events.ProvisioningFailed():
                self._end(about, event, "failed", event.at - self._row(about, event).since)
            case events.WorkloadLoaded():
                self._begin(about, event, "read")
            case events.WorkloadFinished():
                self._end(about, event, event.outcome, event.seconds)
            case _:
                pass

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """The board as text: never wider than `width` columns nor longer than `height` lines.

        Where it does not fit, what is finished goes first.
        """
        rows = list(self.rows.values())
        if len(rows) > height:
            rows = [row for row in rows if row.seconds is None] or rows
        left_out = max(0, len(rows) - height + 1) if len(rows) > height else 0
        rows = rows[: len(rows) - left_out]
        label_width = max((len(row.label) for row in rows), default=0)
        lines = [row.text(now, label_width)[:width] for row in rows]
        return [*lines, f"… and {left_out} more"[:width]] if left_out else lines

    def _row(self, about: str, event: events.Event) -> Row:
        if about not in self.rows:
            self.rows[about] = Row(label=self._label(about, event), since=event.at)
            self.rows = dict(sorted(self.rows.items()))
        return self.rows[about]

    def _begin(self, about: str, event: events.Event, activity: str) -> None:
        row = self._row(about, event)
        row.activity, row.since, row.seconds = activity, event.at, None

    def _end(self, about: str, event: events.Event, activity: str, seconds: float) -> None:
        row = self._row(about, event)
        row.activity, row.seconds = activity, seconds
        if activity in _DONE:
            self._settle(about, event.at)

    def _settle(self, about: str, at: float) -> None:
        for key, row in self.rows.items():
            if key.startswith(f"{about}/") and row.seconds is None:
                row.seconds = max(0.0, at - row.since)

    @staticmethod
    def _label(about: str, event: events.Event) -> str:
        owner = event.scope.workload or event.scope.app
        return about if owner in (None, about) else f"  {about.removeprefix(f'{owner}/')}"
