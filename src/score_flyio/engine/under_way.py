"""The steps of an app that have begun and not ended: those that a run was cut short amid."""

from __future__ import annotations

import anyio

from score_flyio.base.record import define, evolve, field
from score_flyio.deploy.execution.report import AppReport, StepReport
from score_flyio.events import (
    Event,
    Listener,
    RollbackStarted,
    StepFailed,
    StepFinished,
    StepStarted,
)


@define(kw_only=True)
class UnderWay:
    """Hears the events of one app, and hands them on."""

    emit: Listener
    _steps: dict[str, tuple[str, float]] = field(factory=dict, init=False)
    """By id, what each does, and when it began."""
    _back: bool = field(default=False, init=False)
    """Whether what failed is being taken back."""

    def hear(self, event: Event) -> None:
        """Takes notice of an event."""
        name = event.scope.step or ""
        match event:
            case StepStarted():
                self._steps[name] = (event.description, anyio.current_time())
            case StepFinished() | StepFailed():
                self._steps.pop(name, None)
            case RollbackStarted():
                self._back = True
            case _:
                pass
        self.emit(event)

    def added(self, report: AppReport, *, zero: float) -> AppReport:
        """The report with them, as interrupted; `zero` is when the run started."""
        now = anyio.current_time()
        cut = [
            StepReport(
                description=description,
                outcome="interrupted",
                started=began - zero,
                seconds=now - began,
                id=name,
            )
            for name, (description, began) in self._steps.items()
        ]
        if self._back:
            return evolve(report, recovery=_in_order(*report.recovery, *cut))
        return evolve(report, steps=_in_order(*report.steps, *cut))


def _in_order(*steps: StepReport) -> tuple[StepReport, ...]:
    return tuple(sorted(steps, key=lambda step: step.started))
