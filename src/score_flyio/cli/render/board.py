"""What a run looks like right now: one line a workload, one a resource, one a machine.

Pure: built from events, and turned into cells of text for a given moment and number of lines.
"""

from collections import Counter
from typing import Final

from score_flyio import events
from score_flyio.base.counted import counted
from score_flyio.base.printable import one_line
from score_flyio.base.record import define, evolve, field
from score_flyio.cli.render.wording import duration, sentence, subject

_CHANGES: Final = {
    "update machine": ("updating", "updated"),
    "revert machine": ("reverting", "reverted"),
    "stop machine": ("stopping", "stopped"),
    "destroy machine": ("destroying", "destroyed"),
}
"""Verbs of steps after which what was seen of a machine is no longer so, and what is told then."""
_QUEUED: Final = 0.5
"""Seconds: a call that waited so long for its turn tells of the rate limit."""
_ENOUGH: Final = 50
"""So many steps that are over, or a quarter of all, tell how long the others take."""
_RECENT: Final = 2.0
"""Seconds for which that is told."""


@define
class Row:
    """One line of the board."""

    label: str
    since: float
    """When it was first heard of, in seconds since the epoch."""
    state: str = ""
    checks: str = ""
    seconds: float | None = None
    """How long it took, once it is finished."""
    machine: bool = False

    def cells(self, now: float, doing: str = "") -> tuple[str, str, str]:
        """Label, state with checks, and the time it takes."""
        elapsed = max(0.0, now - self.since) if self.seconds is None else self.seconds
        told = "  ".join(part for part in (self.state or doing, self.checks) if part)
        return one_line(self.label), one_line(told), duration(elapsed)


@define
class Board:
    """Follows the events of one run."""

    rows: dict[str, Row] = field(factory=dict)
    """By subject; a machine's row comes under the one of its workload."""
    running: dict[str, dict[str, events.StepStarted]] = field(factory=dict)
    """The steps that go on, by workload or app and by id."""
    begun: float | None = None
    """When the run began; None before and after it."""
    workloads: int = 0
    planned: dict[str, int] = field(factory=dict)
    """How many steps each workload or app has."""
    ended: int = 0
    """Steps that are over."""
    outcomes: Counter[str] = field(factory=Counter)
    """Of workloads that are over."""
    again: tuple[float, str] = (0.0, "")
    """When calls go on that wait, and why they do."""
    queued: tuple[float, float] = (0.0, 0.0)
    """When a call last went out that had waited for its turn, and how long it had."""

    def handle(self, event: events.Event) -> None:
        """Take note of one event."""
        self._count(event)
        about = subject(event.scope)
        if not about:
            return
        match event:
            case events.CheckChanged():
                why = event.output.partition("\n")[0] if event.output else ""
                told = f": {why}" if why and event.passing < event.total else ""
                self._row(about, event).checks = f"{event.passing}/{event.total} checks{told}"
            case events.MachineStateChanged() | events.LeaseAwaited():
                self._row(about, event).state = sentence(event) or ""
            case events.LeaseAcquired() if about in self.rows:
                self.rows[about].state = "leased"
            case events.StepStarted():
                self._begin(event)
            case events.StepFinished():
                self._finish(event)
            case events.StepFailed():
                self._finish(event)
                self._row(about, event).state = f"failed: {event.description}"
            case events.ProvisioningStarted():
                self._row(about, event).state = "provisioning"
            case events.ProvisioningFinished():
                self._end(about, event, "provisioned", event.seconds)
            case events.ProvisioningFailed():
                self._end(about, event, "failed", event.at - self._row(about, event).since)
            case events.WorkloadLoaded():
                self._row(about, event)
            case events.WorkloadFinished():
                self._end(about, event, event.outcome, event.seconds)
                self._settle(about, event.at)

    def _count(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                self.begun, self.workloads = event.at, len(event.workloads)
            case events.RunFinished():
                self.begun = None
            case events.PlanReady():
                self.planned[event.scope.workload or event.scope.app or ""] = len(event.steps)
            case events.StepFinished() | events.StepFailed() | events.StepSkipped():
                self.ended += 1
            case events.WorkloadFinished():
                self.outcomes[event.outcome] += 1
            case events.RateLimitHit():
                self.again = (event.at + event.delay, "rate limited")
            case events.RequestRetried():
                self.again = (event.at + event.delay, event.reason)
            case events.RequestFinished(queued=queued) if queued >= _QUEUED:
                self.queued = (event.at, queued)

    def totals(self, now: float) -> str:
        """How far the whole run is; empty when none goes on."""
        if self.begun is None:
            return ""
        until, why = self.again
        steps = sum(self.planned.values())
        through = f"{sum(self.outcomes.values())} of {counted(self.workloads, 'workload')} finished"
        parts = [through] if self.workloads else []
        parts += [f"{n} {outcome}" for outcome, n in sorted(self.outcomes.items()) if n]
        parts += [f"{min(self.ended, steps)} of {steps} steps"] if steps else []
        parts.append(duration(max(0.0, now - self.begun)))
        parts += [f"about {duration(left)} left"] if (left := self._left(now)) else []
        if until > now:
            parts.append(f"waiting: {why}, again in {duration(until - now)}")
        elif now - self.queued[0] < _RECENT:
            parts.append(f"each call waits {duration(self.queued[1])} for the rate limit")
        return one_line(", ".join(parts))

    def _left(self, now: float) -> float | None:
        """Seconds until the end, once all plans are known and much of them is done.

        Steps take what those before them took, but what goes on and tells its length takes that.
        """
        steps = sum(self.planned.values())
        known = len(self.planned) >= self.workloads and self.ended < steps
        if self.begun is None or not known or self.ended < min(steps / 4, _ENOUGH):
            return None
        going = (step for each in self.running.values() for step in each.values())
        known_end = max((step.at + step.lasts for step in going), default=now)
        return max((now - self.begun) / self.ended * (steps - self.ended), known_end - now)

    def cells(self, now: float, height: int) -> list[tuple[str, str, str]]:
        """The board's rows: never more than `height`.

        Where they do not fit, what is finished goes first; then machines are counted.
        """
        rows = list(self.rows.items())
        if len(rows) > height:
            rows = [row for row in rows if row[1].seconds is None] or rows
        if len(rows) > height:
            rows = self._counted(rows)
        left_out = max(0, len(rows) - height + 1) if len(rows) > height else 0
        cells = [row.cells(now, self._doing(about)) for about, row in rows[: len(rows) - left_out]]
        return [*cells, (f"… and {left_out} more", "", "")] if left_out else cells

    def _counted(self, rows: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
        """The rows with machines as numbers in those of their workloads."""
        states: dict[str, Counter[str]] = {}
        for about, row in rows:
            if row.machine:
                owner = states.setdefault(about.rpartition("/")[0], Counter())
                owner[row.state.partition(" in ")[0] or "new"] += 1
        shown = []
        for about, row in rows:
            if (found := states.pop(about, None)) is not None:
                told = ", ".join(f"{n} {state}" for state, n in sorted(found.items()))
                parts = (row.state, f"{counted(found.total(), 'machine')}: {told}")
                row = evolve(row, state="  ".join(filter(None, parts)))  # noqa: PLW2901
                row.checks = self._doing(about) if row.seconds is None else ""
            if not row.machine or about.rpartition("/")[0] in states:
                shown.append((about, row))
        return shown

    def _doing(self, about: str) -> str:
        """What goes on for a workload: the step that began first, and how many others."""
        first, *others = [step.description for step in self.running.get(about, {}).values()] or [""]
        return f"{first}, and {len(others)} more" if others else first

    def _row(self, about: str, event: events.Event) -> Row:
        if about not in self.rows:
            owner = event.scope.workload or event.scope.app
            label = about if owner in (None, about) else f"  {about.removeprefix(f'{owner}/')}"
            machine = event.scope.machine is not None
            self.rows[about] = Row(label=label, since=event.at, machine=machine)
            self.rows = dict(sorted(self.rows.items()))
        return self.rows[about]

    def _begin(self, event: events.StepStarted) -> None:
        owner = event.scope.workload or event.scope.app or ""
        self._row(owner, event)
        self.running.setdefault(owner, {})[event.scope.step or event.description] = event
        if event.scope.machine and event.verb in _CHANGES:
            row = self._row(subject(event.scope), event)
            row.state, row.checks = _CHANGES[event.verb][0], ""

    def _finish(self, event: events.StepFinished | events.StepFailed) -> None:
        owner = event.scope.workload or event.scope.app or ""
        step = self.running.get(owner, {}).pop(event.scope.step or event.description, None)
        if step is None or step.verb not in _CHANGES or not event.scope.machine:
            return
        about = subject(event.scope)
        during, after = _CHANGES[step.verb]
        if step.verb == "destroy machine":
            self._end(about, event, after, event.at - step.at)
        elif self._row(about, event).state == during:
            self.rows[about].state = after

    def _end(self, about: str, event: events.Event, state: str, seconds: float) -> None:
        row = self._row(about, event)
        row.state, row.seconds = state, seconds

    def _settle(self, about: str, at: float) -> None:
        for key, row in self.rows.items():
            if key.startswith(f"{about}/") and row.seconds is None:
                row.seconds = max(0.0, at - row.since)
