"""What the page shows about each app, put together from the report and the events.

The time line has a lane for each machine, and for each kind of step that is about no machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from score_flyio.base.counted import counted
from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.execution.report import AppReport, Report, StepReport
from score_flyio.errors import ApiAnswer, DeployError, FlyApiError, Problem, ScoreFlyError
from score_flyio.report_html.path import TINY, Chain, chain_of
from score_flyio.report_html.phases import Bar, Phase, calls_of, cut, cut_calls
from score_flyio.report_html.story import AppStory, Call, StepSpan, Story

ONLY_WAITING = frozenset({"wait for", "watch", "pause", "hold machines"})
"""Verbs of steps that change nothing."""


@frozen(kw_only=True)
class Failure:
    """One failure, with the call that it was about."""

    label: str
    error: ScoreFlyError
    message: str
    problems: tuple[Problem, ...]
    """Those that the message does not tell."""
    call: str | None
    answer: ApiAnswer | None


@frozen(kw_only=True)
class Change:
    """Steps of one kind that did the same."""

    text: str
    outcome: str
    each: tuple[str, ...] = ()
    """Descriptions, where there are several."""
    differences: tuple[str, ...] = ()
    error: str | None = None


@frozen(kw_only=True)
class AppView:
    """Everything about one app."""

    report: AppReport
    chain: Chain | None = None
    """What determined its end; None: no event was about it."""
    lanes: tuple[Lane, ...] = ()
    changes: tuple[Change, ...] = ()
    skipped: tuple[Change, ...] = ()
    recovery: tuple[Change, ...] = ()
    recovery_reason: str | None = None

    @property
    def went_well(self) -> bool:
        return self.report.outcome in {"done", "unchanged"}


def app_views(report: Report, story: Story) -> tuple[AppView, ...]:
    """The apps of the report, in its order; one that was not looked at is known by its label."""
    labels = {app.label: app for app in story.apps.values()}
    return tuple(
        _app(item, story.apps.get(item.app) if item.app else labels.get(item.label), story)
        for item in report.apps
    )


def _app(report: AppReport, app: AppStory | None, story: Story) -> AppView:
    if app is None:
        return AppView(report=report)
    details = {step.id: step for step in (*report.steps, *report.recovery) if step.id}
    told = [step for step in app.steps if step.begun.verb not in ONLY_WAITING or step.error]
    return AppView(
        report=report,
        chain=chain_of(story, app),
        lanes=lanes_of(story, app),
        changes=_changes((s for s in told if not s.recovery), details),
        recovery=_changes((s for s in told if s.recovery), details),
        recovery_reason=app.recovery.reason if app.recovery else None,
        skipped=_skipped(app),
    )


def _changes(steps: Iterable[StepSpan], details: Mapping[str, StepReport]) -> tuple[Change, ...]:
    """Steps that did the same to many machines become one."""
    alike: dict[tuple[str, str | None, Change], list[StepSpan]] = {}
    for step in steps:
        report = details.get(step.id)
        differences = report.differences if report else ()
        did = Change(text="", outcome=step.outcome, differences=differences, error=step.error)
        alike.setdefault((step.begun.verb or step.id, step.begun.scope.group, did), []).append(step)
    return tuple(
        evolve(
            did,
            text=_title(steps),
            each=tuple(step.begun.description for step in steps) if len(steps) > 1 else (),
        )
        for (_, _, did), steps in alike.items()
    )


def _title(steps: Sequence[StepSpan]) -> str:
    first = steps[0]
    if len(steps) == 1:
        return first.begun.description
    group = f" of group {first.begun.scope.group}" if first.begun.scope.group else ""
    return f"{first.begun.verb}{group}, {len(steps)} times"


def _skipped(app: AppStory) -> tuple[Change, ...]:
    reasons: dict[str, list[str]] = {}
    for description, reason in app.skipped:
        reasons.setdefault(reason, []).append(description)
    return tuple(
        Change(
            text=f"{counted(len(texts), 'step')} not begun: {reason}",
            outcome="skipped",
            each=tuple(texts),
        )
        for reason, texts in reasons.items()
    )


def failures_of(report: AppReport) -> Iterable[Failure]:
    """Each failure of an app; one that stands for several is taken apart."""
    for error in _flat(report.failures):
        answer = error.answer if isinstance(error, FlyApiError) else None
        request = getattr(error, "request", None)
        yield Failure(
            label=report.label,
            error=error,
            message=answer.message if answer and answer.message else error.message,
            problems=() if error.message == "\n".join(map(str, error.problems)) else error.problems,
            call=f"{request.method} {request.path}" if request else None,
            answer=answer,
        )


def _flat(errors: Iterable[ScoreFlyError]) -> Iterable[ScoreFlyError]:
    for error in errors:
        inner = error.failures if isinstance(error, DeployError) else ()
        yield from _flat(inner) if inner else (error,)


NAMES = {
    "create app": "app",
    "allocate address": "addresses",
    "set secrets": "secrets",
    "create volume": "volumes",
    "run release command": "release command",
    "hold machines": "leases",
    "pause": "proxy",
}
"""What lanes are called that are about no machine, by the verb of their steps."""


@define(kw_only=True)
class Lane:
    """One line of the time line."""

    name: str
    detail: str = ""
    machine: bool = False
    bars: list[Bar] = field(factory=list)
    outcome: str = "done"
    """`done`, `failed` or `interrupted`."""
    undone: bool = False
    """Whether recovery did something here."""

    @property
    def end(self) -> float:
        return max((bar.end for bar in self.bars), default=0.0)


def lanes_of(story: Story, app: AppStory) -> tuple[Lane, ...]:
    """The lanes of one app, in the order in which they begin; machines after the rest."""
    calls = calls_of(story, app.app)
    planned = app.planned
    if planned is None:
        planned = min((s.started for s in app.steps), default=story.until(app.finished))
    rest = Phase.RESOURCES if story.resources else Phase.OWN
    reading = cut_calls(calls, story.started, planned, rest=rest)
    lanes = {"": Lane(name="read and plan", bars=reading)}
    for step in app.steps:
        _add(lanes, step, story, app, calls)
    used = (lane for lane in lanes.values() if lane.bars)
    return tuple(sorted(used, key=lambda lane: lane.machine))


def _add(
    lanes: dict[str, Lane], step: StepSpan, story: Story, app: AppStory, calls: Sequence[Call]
) -> None:
    key = step.machine or step.begun.verb or step.begun.description
    parts = (step.begun.scope.group, app.regions.get(step.machine or ""))
    lane = lanes.setdefault(
        key,
        Lane(
            name=step.machine or NAMES.get(step.begun.verb, key),
            detail=", ".join(filter(None, parts)) if step.machine else "",
            machine=step.machine is not None,
        ),
    )
    if step.begun.turn > TINY:
        lane.bars.append(Bar(Phase.TURN, step.started - step.begun.turn, step.started))
    lane.bars += cut(step, story.until(step.ended), app, calls)
    lane.undone |= step.recovery
    if step.outcome in {"failed", "interrupted"}:
        lane.outcome = step.outcome
