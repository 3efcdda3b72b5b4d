"""How a run ended, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from score_flyio.base.counted import counted
from score_flyio.base.document import MAY_BE_MISSING, Document, Documented
from score_flyio.base.printable import one_line
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.execution.execute import AppResult, Outcome, StepResult
from score_flyio.deploy.execution.standing import GO_ON, account_of, machines_by_state, release_of
from score_flyio.errors import HealthCheckFailed, ScoreFlyError
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
    """One app as it went, or what a run does beside the apps."""

    app: str | None
    """Its name at Fly; null where that is not known, and for what is beside the apps."""
    workload: str
    """How it is called: the workload, or the app; beside them `resources` and `secrets file`."""
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


_SEVERITY: tuple[RunOutcome, ...] = ("unchanged", "done", "unhealthy", "failed", "interrupted")


@frozen(kw_only=True)
class StepReport(Documented):
    """One step as it went; `seconds` from its start, `started` from the start of the run."""

    description: str
    outcome: str
    started: float
    seconds: float
    error: str | None = None
    id: str = ""
    differences: tuple[str, ...] = ()
    """What changes in the machine's config, a line a field."""
    changes: bool = True
    """Whether it changes something at Fly; waiting does not."""

    def document(self) -> StepReportDocument:
        """For programs."""
        return StepReportDocument(
            description=self.description,
            outcome=self.outcome,
            started=round(self.started, 3),
            seconds=round(self.seconds, 3),
            error=self.error,
        )


@frozen(kw_only=True)
class AppReport(Documented):
    """One app as it went, or what a run does beside the apps."""

    app: str = ""
    """Empty where its name is not known, and for what is beside the apps."""
    label: str
    outcome: RunOutcome
    seconds: float = 0.0
    steps: tuple[StepReport, ...] = ()
    recovery: tuple[StepReport, ...] = ()
    failures: tuple[ScoreFlyError, ...] = ()
    url: str | None = None
    notes: tuple[str, ...] = ()
    release: int | None = None
    """The number of the release that the run made, or that runs as it was."""
    machines: Mapping[str, int] = field(factory=dict)
    """How many machines of the app are in which state."""
    addresses: tuple[str, ...] = ()
    """Of the app, where the run looked at them."""
    files: tuple[str, ...] = ()
    """What the run wrote for it: its fly.toml, and what that names."""
    account: str = ""
    """How far it came, where it was cut short."""

    def document(self) -> AppReportDocument:
        """For programs."""
        return AppReportDocument(
            app=self.app or None,
            workload=self.label,
            outcome=self.outcome,
            url=self.url,
            release=self.release,
            machines=self.machines,
            addresses=self.addresses,
            files=self.files,
            account=self.account or None,
            seconds=round(self.seconds, 3),
            steps=tuple(step.document() for step in self.steps),
            recovery=tuple(step.document() for step in self.recovery),
            notes=self.notes,
            errors=tuple(map(Failure.of, self.failures)),
        )


@frozen(kw_only=True)
class Report(Documented):
    """A whole run."""

    apps: tuple[AppReport, ...] = ()
    """One report an app, in the order in which the apps were planned."""
    seconds: float = 0.0
    """From the beginning to the end."""
    target: str = ""
    """Where the run went, as `Target.name` tells it."""
    interrupted: bool = False
    """Whether a signal ended it before its end."""

    @property
    def outcome(self) -> RunOutcome:
        """The worst outcome of any app."""
        if self.interrupted:
            return "interrupted"
        return max((app.outcome for app in self.apps), key=_SEVERITY.index, default="unchanged")

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 2 bad input only, 3 deployed but unhealthy, 130 interrupted."""
        match self.outcome:
            case "done" | "unchanged":
                return 0
            case "unhealthy":
                return 3
            case "interrupted":
                return 130
            case _:
                codes = {error.exit_code for app in self.apps for error in app.failures}
                return 2 if codes == {2} else 1

    @property
    def failures(self) -> tuple[ScoreFlyError, ...]:
        """What went wrong, app by app."""
        return tuple(error for app in self.apps for error in app.failures)

    def summary(self) -> str:
        """A line for each app's outcome, one for what there is of it, and one for the whole."""
        lines = [line for app in self.apps for line in (_app_line(app), *_facts(app))]
        return "\n".join([*lines, f"{self.outcome} in {self.seconds:.1f} s"])

    def to_text(self) -> str:
        """A few lines for a person: each app's outcome, then each failure with its hint."""
        lines = [_app_line(app) for app in self.apps]
        for app in self.apps:
            for error in app.failures:
                lines.append(f"{one_line(app.label)}: {error.message}")
                lines += [f"  | {one_line(line)}" for line in error.logs]
                lines += [f"  {error.hint}"] if error.hint else []
            recovered = [step for step in app.recovery if step.outcome == "done"]
            for step in recovered:
                what = "undone after the failure" if step.changes else "then"
                lines.append(one_line(f"{app.label}: {what}: {step.description}"))
        lines.append(f"{self.outcome} in {self.seconds:.1f} s")
        return "\n".join(lines)

    def document(self) -> ReportDocument:
        """For programs."""
        end = Failure(exit_code=self.exit_code, code="interrupted", message="interrupted")
        return ReportDocument(
            outcome=self.outcome,
            exit_code=self.exit_code,
            seconds=round(self.seconds, 3),
            target=self.target,
            apps=tuple(app.document() for app in self.apps),
            error=end if self.interrupted else None,
        )


def app_report(result: AppResult, *, zero: float, seconds: float) -> AppReport:
    """What became of one app; `zero` is when the run started, on the event loop's clock."""
    failures = result.failures
    return AppReport(
        app=result.plan.app,
        label=result.plan.label,
        outcome=outcome_of(failures, changed=result.changed),
        seconds=seconds,
        steps=_steps(list(result.results.values()), zero),
        recovery=_steps(list(result.recovery.values()), zero),
        failures=failures,
        url=result.plan.url,
        notes=result.plan.notes,
        release=release_of(result),
        machines=machines_by_state(result),
        addresses=result.addresses,
    )


def cut_short(
    app: str, label: str, result: AppResult | None, *, zero: float, seconds: float
) -> AppReport:
    """An app at which the run was interrupted; `result` is how far it came, if it was planned."""
    if result is None:
        account = f"no machine was changed; {GO_ON}"
        return AppReport(
            app=app, label=label, outcome="interrupted", seconds=seconds, account=account
        )
    whole = app_report(result, zero=zero, seconds=seconds)
    return evolve(whole, outcome="interrupted", account=account_of(result))


def given_up(
    error: ScoreFlyError,
    *,
    app: str,
    label: str,
    results: Mapping[str, StepResult],
    zero: float,
    seconds: float,
) -> AppReport:
    """An app whose plan could not be made, with the steps that were done before."""
    return AppReport(
        app=app,
        label=label,
        outcome=outcome_of((error,), changed=False),
        seconds=seconds,
        steps=_steps(list(results.values()), zero),
        failures=(error,),
    )


def outcome_of(failures: Sequence[ScoreFlyError], *, changed: bool) -> RunOutcome:
    """Unhealthy when nothing worse than failed health checks happened."""
    if not failures:
        return "done" if changed else "unchanged"
    if all(isinstance(error, HealthCheckFailed) for error in failures):
        return "unhealthy"
    return "failed"


def _steps(results: Sequence[StepResult], zero: float) -> tuple[StepReport, ...]:
    shown = [result for result in results if result.outcome is not Outcome.UNCHANGED]
    return tuple(
        StepReport(
            description=result.step.describe(),
            outcome=result.outcome.value,
            started=result.started - zero,
            seconds=result.ended - result.started,
            error=str(result.error) if result.error else None,
            changes=result.step.mutates,
            id=result.step.id,
            differences=tuple(map(str, getattr(result.step, "differences", ()))),
        )
        for result in sorted(shown, key=lambda result: result.started)
    )


def _app_line(app: AppReport) -> str:
    name = app.label if app.app in {"", app.label} else f"{app.label} (app {app.app})"
    where = f" at {app.url}" if app.url and app.outcome in {"done", "unchanged"} else ""
    account = f": {app.account}" if app.account else ""
    return one_line(f"{name}: {app.outcome}{where}{account}")


def _facts(app: AppReport) -> list[str]:
    """What there is of an app after the run, in a line."""
    facts = [f"release {app.release}"] if app.release else []
    count = sum(app.machines.values())
    if count:
        states = ", ".join(f"{n} {state}" for state, n in app.machines.items())
        facts.append(f"{counted(count, 'machine')}: {states}")
    facts += [f"reached at {', '.join(app.addresses)}"] if app.addresses else []
    facts += [f"wrote {', '.join(app.files)}"] if app.files else []
    return [one_line(f"  {'; '.join(facts)}")] if facts else []
