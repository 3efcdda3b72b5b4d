"""Events → what happened, sorted by what it happened to. Times in seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from score_flyio import events
from score_flyio.base.record import define, field

Call: TypeAlias = events.RequestFinished
"""One HTTP exchange."""
Sight: TypeAlias = events.MachineStateChanged | events.CheckChanged
"""What a look at a machine found new: its state, or how many checks pass."""


@define(kw_only=True)
class StepSpan:
    """One step, from its start on."""

    begun: events.StepStarted
    machine: str | None
    ended: float | None = None
    outcome: str = "interrupted"
    """`done`, `unchanged` or `failed`; `interrupted` without an end."""
    error: str | None = None
    recovery: bool = False

    @property
    def id(self) -> str:
        return self.begun.scope.step or self.begun.description

    @property
    def started(self) -> float:
        return self.begun.at


@define(kw_only=True)
class ResourceSpan:
    """One resource while it was provisioned."""

    begun: events.ProvisioningStarted | events.ProvisioningFinished | events.ProvisioningFailed
    ended: float | None = None
    outcome: str = "interrupted"
    outputs: tuple[str, ...] = ()
    error: str | None = None

    @property
    def uid(self) -> str:
        return self.begun.scope.resource or ""

    @property
    def started(self) -> float:
        return self.begun.at


@define(kw_only=True)
class AppStory:
    """What happened to one app."""

    app: str
    workload: str | None = None
    planned: float | None = None
    """When its plan was ready."""
    steps: list[StepSpan] = field(factory=list)
    skipped: list[tuple[str, str]] = field(factory=list)
    """Description and reason."""
    sights: dict[str, list[Sight]] = field(factory=dict)
    """By machine."""
    regions: dict[str, str] = field(factory=dict)
    """By machine."""
    recovery: events.RollbackStarted | None = None
    finished: float | None = None

    @property
    def label(self) -> str:
        return self.workload or self.app


@define(kw_only=True)
class Story:
    """A whole run."""

    started: float = 0.0
    ended: float = 0.0
    command: str = "deploy"
    target: str = ""
    emulated: bool = False
    outcome: str = "interrupted"
    apps: dict[str, AppStory] = field(factory=dict)
    resources: list[ResourceSpan] = field(factory=list)
    calls: dict[str | None, list[Call]] = field(factory=dict)
    """By app, in the order of their answers."""
    retries: list[events.RequestRetried] = field(factory=list)
    refused: list[events.RateLimitHit] = field(factory=list)
    warnings: list[events.WarningRaised] = field(factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def until(self, end: float | None) -> float:
        """The end of a span: that of the run where it had none."""
        return self.ended if end is None else end


def tell(heard: Iterable[events.Event]) -> Story:
    """Sorts the events of one run."""
    told = list(heard)
    story = Story()
    if told:
        story.started, story.ended = told[0].at, max(event.at for event in told)
    for event in told:
        _hear(story, event)
    return story


def _hear(story: Story, event: events.Event) -> None:
    match event:
        case events.RunStarted():
            story.command = event.command
        case events.TargetSelected():
            story.target, story.emulated = event.target, event.emulated
        case events.RunFinished():
            story.outcome = event.outcome
        case events.WarningRaised():
            story.warnings.append(event)
        case events.RequestRetried():
            story.retries.append(event)
        case events.RateLimitHit():
            story.refused.append(event)
        case events.RequestFinished():
            story.calls.setdefault(event.scope.app, []).append(event)
        case events.ProvisioningStarted():
            story.resources.append(ResourceSpan(begun=event))
        case events.ProvisioningFinished() | events.ProvisioningFailed():
            _end_resource(story, event)
        case _ if event.scope.app is not None:
            app = story.apps.setdefault(event.scope.app, AppStory(app=event.scope.app))
            app.workload = app.workload or event.scope.workload
            _hear_app(app, event)


def _end_resource(
    story: Story, event: events.ProvisioningFinished | events.ProvisioningFailed
) -> None:
    uid = event.scope.resource or ""
    running = next((r for r in story.resources if r.uid == uid and r.ended is None), None)
    if running is None:  # it failed before it began
        running = ResourceSpan(begun=event)
        story.resources.append(running)
    running.ended = event.at
    if isinstance(event, events.ProvisioningFinished):
        running.outcome, running.outputs = "done", event.outputs
    else:
        running.outcome, running.error = "failed", event.error


def _hear_app(app: AppStory, event: events.Event) -> None:
    match event:
        case events.PlanReady():
            app.planned = event.at
        case events.WorkloadFinished():
            app.finished = event.at
        case events.RollbackStarted():
            app.recovery = event
        case events.MachineStateChanged() | events.CheckChanged():
            machine = event.scope.machine or ""
            app.sights.setdefault(machine, []).append(event)
            if isinstance(event, events.MachineStateChanged) and event.region:
                app.regions[machine] = event.region
        case events.StepStarted():
            app.steps.append(
                StepSpan(
                    begun=event,
                    machine=event.scope.machine,
                    recovery=app.recovery is not None,
                )
            )
        case events.StepFinished() | events.StepFailed():
            _ended(app, event)
        case events.StepSkipped():
            app.skipped.append((event.description, event.reason))


def _ended(app: AppStory, event: events.StepFinished | events.StepFailed) -> None:
    name = event.scope.step or event.description
    open_steps = (s for s in reversed(app.steps) if s.id == name and s.ended is None)
    step = next(open_steps, None)
    if step is None:
        return
    step.ended, step.machine = event.at, event.scope.machine or step.machine
    if isinstance(event, events.StepFailed):
        step.outcome, step.error = "failed", event.error
    else:
        step.outcome = "done" if event.changed else "unchanged"
