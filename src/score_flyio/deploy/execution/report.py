"""How a run ended, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final, Literal, TypeAlias

from score_flyio.base.counted import counted
from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.printable import one_line
from score_flyio.base.record import field, frozen
from score_flyio.deploy.execution.execute import AppResult, StepResult
from score_flyio.deploy.execution.standing import account_of, machines_by_state, release_of
from score_flyio.errors import Failure, HealthCheckFailed, ScoreFlyError

RunOutcome: TypeAlias = Literal["done", "unchanged", "unhealthy", "failed", "interrupted"]


INTERRUPTED: Final = Failure(exit_code=130, code="interrupted", message="interrupted")
"""The error of a run that a signal ended before its end."""
_SEVERITY: tuple[RunOutcome, ...] = ("unchanged", "done", "unhealthy", "failed", "interrupted")


def in_milliseconds(seconds: float) -> float:
    """As exact as anybody asks."""
    return round(seconds, 3)


@frozen(kw_only=True)
class StepReport(Document):
    """One step as it went."""

    written: ClassVar = ("description", "outcome", "started", "seconds", "error")
    description: str
    """What it does, for people."""
    outcome: str
    """How it ended."""
    started: float = field(converter=in_milliseconds)
    """Seconds from the start of the run."""
    seconds: float = field(converter=in_milliseconds)
    """What it took."""
    error: str | None = None
    """What went wrong."""
    id: str = ""
    """As events name it."""
    differences: tuple[str, ...] = ()
    """What changes in the machine's config, a line a field."""
    changes: bool = True
    """Whether it changes something at Fly; waiting does not."""


@frozen(kw_only=True)
class AppReport(Document):
    """One app as it went, or what a run does beside the apps."""

    written: ClassVar = (
        "app", "workload", "outcome", "url", "release", "machines", "addresses", "files",
        "account", "seconds", "steps", "recovery", "notes", "errors",
    )  # fmt: skip
    app: str | None = None
    """Its name at Fly; null where that is not known, and for what is beside the apps."""
    label: str
    """The workload, or else the app."""
    outcome: RunOutcome
    """How it ended."""
    seconds: float = field(default=0.0, converter=in_milliseconds)
    """What it took."""
    steps: tuple[StepReport, ...] = ()
    """What was done, in the order in which it began."""
    recovery: tuple[StepReport, ...] = ()
    """What was done to go back, after a failure or where another run launched the app, too."""
    failures: tuple[ScoreFlyError, ...] = ()
    """What went wrong."""
    url: str | None = None
    """Where it is reached."""
    notes: tuple[str, ...] = ()
    """What is remarkable of the plan."""
    release: int | None = None
    """The release that the run made, or that runs as it was."""
    machines: Mapping[str, int] = field(factory=dict)
    """How many machines of it are in which state."""
    addresses: tuple[str, ...] = ()
    """Of the app, where the run looked at them."""
    files: tuple[str, ...] = ()
    """What the run wrote for it: its fly.toml, and what that names."""
    account: str | None = None
    """How far it came, where it was cut short."""

    @classmethod
    def failed(cls, label: str, error: ScoreFlyError, *, app: str | None = None) -> AppReport:
        """The report of what failed before any of it was done."""
        return cls(app=app, label=label, outcome="failed", failures=(error,))

    @property
    def workload(self) -> str:
        """The workload, or the app; what is beside them is `resources` or `secrets file`."""
        return self.label

    @property
    def errors(self) -> tuple[Failure, ...]:
        """What went wrong."""
        return tuple(map(Failure.of, self.failures))


@frozen(kw_only=True)
class Report(Document):
    """How a run ended."""

    written: ClassVar = ("outcome", "exit_code", "seconds", "target", "apps", "error")
    apps: tuple[AppReport, ...] = ()
    """In the order in which they were planned."""
    seconds: float = field(default=0.0, converter=in_milliseconds)
    """From the beginning to the end."""
    target: str = ""
    """Where the run went."""
    error: Failure | None = field(default=None, metadata=MAY_BE_MISSING)
    """What ended it before its end."""

    @property
    def outcome(self) -> RunOutcome:
        """The worst outcome of any app."""
        if self.error is not None:
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
            failed = any(step.outcome == "failed" for step in app.steps)
            undone = "undone after the failure" if failed else "taken back"
            for step in app.recovery:
                what = undone if step.changes else "then"
                if step.outcome == "done":
                    lines.append(one_line(f"{app.label}: {what}: {step.description}"))
        lines.append(f"{self.outcome} in {self.seconds:.1f} s")
        return "\n".join(lines)


def app_report(
    result: AppResult, *, zero: float, seconds: float, interrupted: bool = False
) -> AppReport:
    """What became of one app; `zero` is when the run started, on the event loop's clock."""
    failures = result.failures
    outcome = outcome_of(failures, changed=result.changed)
    return AppReport(
        app=result.plan.app,
        label=result.plan.label,
        outcome="interrupted" if interrupted else outcome,
        seconds=seconds,
        steps=_steps(result.results.values(), zero),
        recovery=_steps(result.recovery.values(), zero),
        failures=failures,
        url=result.plan.url,
        notes=result.plan.notes,
        release=release_of(result),
        machines=machines_by_state(result),
        addresses=result.addresses,
        account=account_of(result) if interrupted else None,
    )


def outcome_of(failures: Sequence[ScoreFlyError], *, changed: bool) -> RunOutcome:
    """Unhealthy when nothing worse than failed health checks happened."""
    if not failures:
        return "done" if changed else "unchanged"
    if all(isinstance(error, HealthCheckFailed) for error in failures):
        return "unhealthy"
    return "failed"


def _steps(results: Iterable[StepResult], zero: float) -> tuple[StepReport, ...]:
    shown = [result for result in results if result.outcome != "unchanged"]
    return tuple(
        StepReport(
            description=result.step.describe(),
            outcome=result.outcome,
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
    name = app.label if app.app in {None, app.label} else f"{app.label} (app {app.app})"
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
