"""What `deploy` and `plan` do once the command line is understood."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from score_flyio.base.document import Document
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, frozen
from score_flyio.cli.context import CliContext
from score_flyio.cli.exit_codes import describe, to_text
from score_flyio.cli.options import STEP_SUMMARY
from score_flyio.cli.render import follow
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.ahead import are_doubtful, with_options
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import Input
from score_flyio.engine.output import Output
from score_flyio.engine.plans import Plan
from score_flyio.engine.selection import Refused, Selection, load_inputs
from score_flyio.engine.target import Target
from score_flyio.errors import ConfigError, DeployError, ScoreFlyError, UsageError
from score_flyio.events import Event, Listener

if TYPE_CHECKING:
    from score_flyio.deploy.execution.report import Report
    from score_flyio.deploy.planning.model import AppPlan
    from score_flyio.engine.kept_plan import KeptPlan
    from score_flyio.engine.operations.change import Change


@frozen(kw_only=True)
class Built(Document):
    """What was built."""

    images: Mapping[str, str | None]
    """By workload or app; null: it needs no image."""


@frozen(kw_only=True)
class DeployRun:
    """One run of the engine, shown and reported on."""

    cli: CliContext
    target: Target
    options: DeployOptions
    jobs: int | None = None
    report: str | None = None
    build_only: bool = False
    output: Output | None = None
    """Where files are written; None: into the project's folder."""

    async def plan(self, selection: Selection, kept: KeptPlan | None = None) -> tuple[Plan, int]:
        """Show what `deploy` would do, as `score-flyio plan` does; the plan and the exit code."""
        self._check_outputs(selection)
        self._output_path("--summary", self.cli.summary)
        inputs, refused = await self._inputs(selection, kept)
        plan = Plan(apps=())
        if inputs:
            async with follow(self.cli) as show, self._engine(show) as engine:
                plan = await engine.plan(inputs, self.options)
        if kept is not None:
            kept.check(plan)
        plan = evolve(plan, failures={**_errors(refused), **plan.failures})
        output = self.cli.output
        if output.json or not output.stdout.isatty():  # else the plan says it beside
            _tell(self.cli, plan.failures.items())
        if self.cli.summary is not None or STEP_SUMMARY in self.cli.environ:
            from score_flyio.cli.ci import plan_summary, write_summary

            write_summary(self.cli, plan_summary(plan))
        output.wrapped((plan,), plan.describe(show_calls=output.debug))
        return plan, _failure_code(plan.failures)

    async def deploy(self, selection: Selection, kept: KeptPlan | None = None) -> int:
        """Deploy what is selected, tell how it went, and return the exit code.

        With a plan that was kept, only what it says is done. Raises StalePlan if that cannot be.
        """
        from score_flyio.deploy.execution.report import AppReport, Report

        self._check_outputs(selection)
        inputs, refused = await self._inputs(selection, kept)
        if self.build_only:
            return await self._build(inputs, refused)
        events: list[Event] = []
        page = self._output_path("--report", self.report)
        self._output_path("--summary", self.cli.summary)
        report = Report(target=self.target.name)
        if inputs:
            async with follow(self.cli, *([events.append] if page else [])) as show:
                report = await self._deployed(inputs, show, kept)
        not_loaded = (AppReport.failed(each.label, each.error) for each in refused)
        report = evolve(report, apps=(*not_loaded, *report.apps))
        if self.output is not None and self.output.stdout is not None:
            self.cli.output.write(self.output.stdout)
        tell(self.cli, report)
        if page is not None:
            from score_flyio.base.atomic import READABLE, write_atomically
            from score_flyio.report_html import render_html

            try:
                write_atomically(page, render_html(report, events).encode(), mode=READABLE)
            except OSError as error:
                self.cli.output.warn(
                    f"--report {page}: it cannot be written: {system_reason(error)}"
                )
        return report.exit_code

    def _check_outputs(self, selection: Selection) -> None:
        """Raises UsageError where one of the files that are told replaces another, or an input."""
        read = (*selection.files, *selection.configs, selection.overrides.file)
        written = {
            "--report": self.report,
            "--events": self.cli.events,
            "--summary": self.cli.summary,
        }
        taken = {self._real(file): "it is read" for file in read if file}
        for option, file in written.items():
            path = file and self._real(file)
            if not path or (path.exists() and not path.is_file()):
                continue  # none, or a device, which takes whatever comes
            if path in taken:
                raise UsageError(f"{option}: {file!r}: {taken[path]}", hint="name another file")
            taken[path] = f"it is the file of {option}, too"

    def _real(self, file: str) -> Path:
        return Path(os.path.realpath(self.cli.directory / file))

    def _output_path(self, option: str, file: str | None) -> Path | None:
        return None if file is None else self.cli.output_path(option, file)

    async def _inputs(
        self, selection: Selection, kept: KeptPlan | None
    ) -> tuple[Sequence[Input], Sequence[Refused]]:
        """What the command is about, and all that cannot be used.

        What is wrong with options is told with each app; where none is left, it is looked for here.

        Raises:
            StalePlan: what is selected is not as it was planned.
            UsageError: options that do not fit the files.
        """
        if kept is not None:
            kept.check_target(self.target.name)
        inputs, refused = await load_inputs(self.cli.project(), selection)
        count = len(inputs) + len(refused)
        if self.options.image and count != 1:
            raise UsageError(
                f"--image is for one app, but {count} would be deployed",
                hint="name one Score file or one fly.toml",
            )
        if not inputs and are_doubtful(self.options):
            async with self._engine(None) as engine:
                refused = await with_options(engine.client, self.options, refused)
        if kept is not None:
            kept.check_inputs(inputs)
        return inputs, refused

    async def _deployed(
        self, inputs: Sequence[Input], listener: Listener, kept: KeptPlan | None
    ) -> Report:
        what: Plan | Sequence[Input] = inputs
        looking = kept is not None  # the run tells all this again

        def tell(event: Event) -> None:
            if not looking:
                listener(event)

        async with self._engine(tell) as engine:
            if kept is not None:
                what = await engine.plan(inputs, self.options)
                kept.check(what)
                looking = False
            run = engine.deploy(what, self.options)
            try:
                with self.cli.interrupted_by(run.cancel):
                    async with run:
                        pass
            except DeployError as error:
                if error.report is None:
                    raise
            return run.report

    async def _build(self, inputs: Sequence[Input], refused: Sequence[Refused]) -> int:
        """Images that have to be built are; everything else is left alone."""
        async with follow(self.cli) as show, self._engine(show) as engine:
            images, failures = await engine.build(inputs, self.options)
        failed = {**_errors(refused), **failures}
        _tell(self.cli, failed.items())
        text = "\n".join(f"{label}: {image or 'needs no image'}" for label, image in images.items())
        self.cli.output.result(Built(images=images), text)
        return _failure_code(failed)

    def _engine(self, listener: Listener | None) -> Engine:
        return Engine(
            self.cli.project(),
            target=self.target,
            listener=listener,
            clock=self.cli.clock,
            jobs=self.jobs,
            output=self.output,
        )


async def deploy_run(
    cli: CliContext, chosen: Selection, *, output: Output | None = None, **settings: Any
) -> DeployRun:
    """The run that the options of WHERE and SETTINGS describe, and those of RUN that there are.

    Raises ConfigError where there is no token, with all that is wrong with what is chosen.
    """
    from score_flyio.cli.apps import target_of
    from score_flyio.cli.deploy_options import deploy_options

    settings["builder"] = _builder(settings)
    told = (*cli.place, "events", "summary")
    cli = evolve(cli, **{name: settings.pop(name) for name in told if name in settings})
    names = ("build_only", "jobs", "report")
    own = {name: settings.pop(name) for name in names if name in settings}
    pushed = settings.pop("push", True) or not own["build_only"]
    try:
        target = target_of(cli)
    except ConfigError as error:
        raise await _with_inputs(cli, chosen, error) from error
    options = deploy_options(**settings, push=pushed)
    return DeployRun(cli=cli, target=target, options=options, output=output, **own)


def _builder(settings: dict[str, Any]) -> str:
    """What `--builder` means with `--local-only` and `--remote-only`, which are taken out.

    Raises UsageError for builders that do not fit these.
    """
    builder: str = settings["builder"]
    local, remote = (settings.pop(name, False) for name in ("local_only", "remote_only"))
    if local and (remote or builder == "fly"):
        raise UsageError(
            "--local-only: Fly is not to build", hint="leave out --remote-only and --builder fly"
        )
    if remote and builder not in {"auto", "fly"}:
        raise UsageError(
            f"--remote-only: {builder} does not build at Fly", hint="leave one of the options out"
        )
    return "fly" if remote else "local" if local and builder == "auto" else builder


async def _with_inputs(cli: CliContext, selection: Selection, error: ConfigError) -> ScoreFlyError:
    """The error of a place that cannot be reached, with all that is wrong with the inputs."""
    from score_flyio.engine.generate import as_one
    from score_flyio.engine.pipeline import Preparation
    from score_flyio.engine.refusal import unserved
    from score_flyio.state.model import ProjectState

    found: list[ScoreFlyError] = []
    project = cli.project()
    with suppress(ScoreFlyError):  # what is wrong with the project is told once it is needed
        inputs, refused = await load_inputs(project, selection)
        state = await project.store.load() or ProjectState()
        known = Preparation.of(project, state, inputs, lambda _: None)
        found += (each.error for each in (*refused, *known.refused))
        found += filter(None, (unserved(item, known.around) for item in known.inputs.values()))
    return as_one((*found, error))


def show_plan(
    cli: CliContext, plans: Iterable[AppPlan], *more: Document, remarks: Sequence[str] = ()
) -> int:
    """`--dry-run`: print plans and lines beside them; what there is `more` is for programs."""
    plan = Plan(apps=tuple(plans))
    text = [plan.describe(show_calls=cli.output.debug)] if plan.apps or not remarks else []
    cli.output.wrapped((plan, *more), "\n".join((*text, *remarks)))
    return 0


def tell_change(cli: CliContext, change: Change, *more: Document) -> int:
    """How an operation ended, or what it would do; what there is `more` is for programs."""
    if change.report is None:
        return show_plan(cli, [change.plan], *more)
    tell(cli, change.report, *more)
    return change.report.exit_code


def tell(cli: CliContext, report: Report, *more: Document) -> None:
    """How each app ended on stdout, in a summary, and on stderr why any did not."""
    tell_errors(cli, report)
    if cli.summary is not None or STEP_SUMMARY in cli.environ:
        from score_flyio.cli.ci import report_summary, write_summary

        write_summary(cli, report_summary(report))
    cli.output.wrapped((report, *more), report.summary())


def tell_errors(cli: CliContext, report: Report) -> None:
    """On stderr what went wrong, each with its hint."""
    _tell(cli, ((app.label, error) for app in report.apps for error in app.failures))


def _errors(refused: Sequence[Refused]) -> dict[str, ScoreFlyError]:
    return {each.label: each.error for each in refused}


def _failure_code(failed: Mapping[str, ScoreFlyError]) -> int:
    """2 for bad input only, 1 for other failures, 0 for none."""
    codes = {error.exit_code for error in failed.values()}
    return 0 if not codes else 2 if codes == {2} else 1


def _tell(cli: CliContext, failures: Iterable[tuple[str, Exception]]) -> None:
    """Each failure; what is wrong with an option is the same for all apps, and told once."""
    told: set[str] = set()
    for label, error in failures:
        failure = describe(error)
        of_options = {str(each) for each in failure.problems if (each.place or "").startswith("--")}
        if told & of_options:
            left = tuple(each for each in failure.problems if str(each) not in told)
            failure = evolve(failure, problems=left, message="\n".join(map(str, left)), hint=None)
        told |= of_options
        if not failure.message:
            continue
        words = to_text(failure)
        unnamed = label in failure.message or (
            of_options and not failure.message.partition("--")[0]
        )
        cli.output.failure(failure, words if unnamed else f"{label}: {words}", label)
