"""What the page shows about each app, put together from the report and the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from score_flyio.base.record import frozen
from score_flyio.deploy.execution.report import AppReport, Report, StepReport
from score_flyio.errors import DeployError, FlyApiError, Problem, ScoreFlyError
from score_flyio.report_html.lanes import AppLanes, lanes_of
from score_flyio.report_html.story import AppStory, StepSpan, Story

ONLY_WAITING = frozenset({"wait for", "watch", "pause", "hold machines"})
"""Verbs of steps that change nothing."""


@frozen(kw_only=True)
class Failure:
    """One failure, with the call that it was about."""

    label: str
    code: str
    message: str
    hint: str | None = None
    call: str | None = None
    status: str | None = None
    request_id: str | None = None
    problems: tuple[Problem, ...] = ()
    logs: tuple[str, ...] = ()
    """What the machine said last that failed."""


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

    label: str
    app: str
    outcome: str
    url: str | None = None
    seconds: float = 0.0
    lanes: AppLanes | None = None
    changes: tuple[Change, ...] = ()
    skipped: tuple[Change, ...] = ()
    recovery: tuple[Change, ...] = ()
    recovery_reason: str | None = None
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


def app_views(report: Report, story: Story) -> tuple[AppView, ...]:
    """The apps of the report in its order, then those that only events tell of."""
    known = [_app(item, story.apps.get(item.app), story) for item in report.apps]
    names = {item.app for item in report.apps}
    others = [_untold(app, story) for name, app in story.apps.items() if name not in names]
    return (*known, *others)


def _app(report: AppReport, app: AppStory | None, story: Story) -> AppView:
    details = {step.id: step for step in (*report.steps, *report.recovery) if step.id}
    view = _of_events(app, details) if app else AppView(label="", app="", outcome="")
    return AppView(
        label=report.label or report.app or "input",
        app=report.app,
        outcome=report.outcome,
        url=report.url if report.outcome in {"done", "unchanged"} else None,
        seconds=report.seconds,
        lanes=lanes_of(story, app) if app else None,
        changes=view.changes,
        skipped=view.skipped,
        recovery=view.recovery,
        recovery_reason=view.recovery_reason,
        notes=report.notes,
        failures=tuple(failures_of(report)),
    )


def _untold(app: AppStory, story: Story) -> AppView:
    """An app whose report is missing, because the run was interrupted."""
    view = _of_events(app, {})
    failed = [step for step in app.steps if step.error]
    return AppView(
        label=app.label,
        app=app.app,
        outcome=app.outcome,
        seconds=(app.finished or story.ended) - story.started,
        lanes=lanes_of(story, app),
        changes=view.changes,
        skipped=view.skipped,
        recovery=view.recovery,
        recovery_reason=view.recovery_reason,
        failures=tuple(
            Failure(label=app.label, code="failed", message=step.error or "") for step in failed
        ),
    )


def _of_events(app: AppStory, details: Mapping[str, StepReport]) -> AppView:
    told = [step for step in app.steps if step.verb not in ONLY_WAITING or step.error]
    return AppView(
        label=app.label,
        app=app.app,
        outcome=app.outcome,
        changes=_changes((s for s in told if not s.recovery), details),
        recovery=_changes((s for s in told if s.recovery), details),
        recovery_reason=app.recovery.reason if app.recovery else None,
        skipped=_skipped(app),
    )


def _changes(steps: Iterable[StepSpan], details: Mapping[str, StepReport]) -> tuple[Change, ...]:
    """Steps that did the same to many machines become one."""
    alike: dict[tuple[object, ...], list[StepSpan]] = {}
    for step in steps:
        report = details.get(step.id)
        differences = report.differences if report else ()
        key = (step.verb or step.id, step.group, step.outcome, differences, step.error)
        alike.setdefault(key, []).append(step)
    return tuple(
        Change(
            text=_title(steps),
            outcome=steps[0].outcome,
            each=tuple(step.description for step in steps) if len(steps) > 1 else (),
            differences=tuple(details[steps[0].id].differences) if steps[0].id in details else (),
            error=steps[0].error,
        )
        for steps in alike.values()
    )


def _title(steps: Sequence[StepSpan]) -> str:
    first = steps[0]
    if len(steps) == 1:
        return first.description
    group = f" of group {first.group}" if first.group else ""
    return f"{first.verb}{group}, {len(steps)} times"


def _skipped(app: AppStory) -> tuple[Change, ...]:
    reasons: dict[str, list[str]] = {}
    for description, reason in app.skipped:
        reasons.setdefault(reason, []).append(description)
    return tuple(
        Change(
            text=f"{len(texts)} {'step' if len(texts) == 1 else 'steps'} not begun: {reason}",
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
        status = (
            " ".join(str(p) for p in (answer.status, answer.status_code) if p) if answer else None
        )
        yield Failure(
            label=report.label or report.app or "input",
            code=error.code,
            message=answer.message if answer and answer.message else error.message,
            hint=error.hint,
            call=f"{request.method} {request.path}" if request else None,
            status=status,
            request_id=answer.request_id if answer else None,
            logs=error.logs,
            problems=() if error.message == "\n".join(map(str, error.problems)) else error.problems,
        )


def _flat(errors: Iterable[ScoreFlyError]) -> Iterable[ScoreFlyError]:
    for error in errors:
        inner = getattr(error, "failures", ()) if isinstance(error, DeployError) else ()
        yield from _flat(inner) if inner else (error,)
