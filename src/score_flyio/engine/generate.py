"""Inputs → provisioned resources → fly.toml files, without a visit to Fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from score_flyio.base.document import Document
from score_flyio.base.event_loop import event_loop
from score_flyio.base.record import define, frozen
from score_flyio.engine.output import Output
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.project import Project
from score_flyio.engine.selection import Selection, load_inputs
from score_flyio.errors import ResourceError, ScoreFlyError
from score_flyio.events import Listener, Scope, StateSaved, WarningRaised, WorkloadFinished
from score_flyio.events.run import run_frame


@frozen(kw_only=True)
class Generated(Document):
    """One workload that was generated."""

    workload: str
    app: str
    file: str
    """The fly.toml."""
    secrets: tuple[str, ...]
    """Their names."""


@frozen(kw_only=True)
class GenerateResult(Document):
    """What was written."""

    workloads: tuple[Generated, ...] = ()


class GenerateFailed(ScoreFlyError):
    """Several workloads or resources failed; `failures` has each error."""

    def __init__(self, failures: Sequence[ScoreFlyError]) -> None:
        super().__init__(
            f"{len(failures)} things failed",
            code=failures[0].code,
            problems=[problem for error in failures for problem in error.as_problems()],
        )
        self.failures = tuple(failures)


class InputsRefused(GenerateFailed):
    """Several Score files are wrong; nothing else failed."""

    exit_code = 2


def as_one(failures: Sequence[ScoreFlyError]) -> ScoreFlyError:
    """A single failure as it is, and several as one error, in which none is told twice."""
    failures = tuple({error.as_problems(): error for error in failures}.values())
    if len(failures) == 1:
        return failures[0]
    wrong_input = all(error.exit_code == InputsRefused.exit_code for error in failures)
    return (InputsRefused if wrong_input else GenerateFailed)(failures)


async def generate(
    project: Project,
    selection: Selection,
    output: Output,
    emit: Listener,
    *,
    now: Callable[[], float],
    jobs: int | None = None,
) -> GenerateResult:
    """Generate the workloads that are selected; `now` is a clock, in seconds.

    Raises UsageError, NotInitialised and StateError. Workloads that fail are told of together once
    the others are through; the `report` of that error is what was generated.
    """
    async with project.locked("generate") as state:
        inputs, refused = await load_inputs(project, selection, state)
        names = [item.workload or item.app_in(state) for item in inputs]
        failures = [each.error for each in refused]
        start = now()
        with run_frame(emit, "generate", names, now=now) as frame:
            ready = Preparation.of(project, state, inputs, emit, output)
            ready.fit()
            run = _Generating(ready=ready, failures=failures, seconds=lambda: now() - start)
            for each in ready.refused:
                failures.append(each.error)
                run.through(each.app, each.label, each.error)
            if ready.inputs:
                ready.begin(lambda: project.registry(state), project.store, jobs=jobs)
                if ready.run is None:  # then there is nothing to wait for, and no loop to start
                    for app in ready.inputs:
                        await run.resolve(app)
                    await project.store.save(state)
                    emit(StateSaved())
                else:
                    await run.resolve_all()
            await run.write_secrets(output)
            frame.outcome = "failed" if failures else "done"
    generated = (
        Generated(
            workload=desired.label,
            app=desired.name,
            file=ready.files[desired.name][-1],
            secrets=tuple(sorted(desired.secrets)),
        )
        for desired in (ready.resolved[app] for app in ready.inputs if app in ready.resolved)
    )
    result = GenerateResult(workloads=tuple(generated))
    if failures:
        error = as_one(failures)
        error.report = result
        raise error
    return result


@define(kw_only=True)
class _Generating:
    """A run that goes on."""

    ready: Preparation
    failures: list[ScoreFlyError]
    seconds: Callable[[], float]
    """Since it began."""

    def through(self, app: str, label: str, error: ScoreFlyError | None) -> None:
        """Tells that an app is through, and why it failed."""
        self.ready.emit(
            WorkloadFinished(
                scope=Scope.of_app(app, label),
                outcome="failed" if error else "done",
                error=error.message if error else None,
                seconds=self.seconds(),
            )
        )

    async def resolve(self, app: str) -> None:
        error: ScoreFlyError | None = None
        try:
            await self.ready.resolve(app)
        except ScoreFlyError as failed:
            error = failed
            if not isinstance(failed, ResourceError):  # these tell themselves
                self.failures.append(failed)
        self.through(app, self.ready.outlines[app].label, error)

    async def resolve_all(self) -> None:
        """All at once, while their resources are provisioned."""
        await event_loop()
        import anyio

        from score_flyio.errors.unwrap import unwrapped

        with unwrapped():  # that the state cannot be saved ends everything
            async with anyio.create_task_group() as tasks:
                for app in self.ready.inputs:
                    tasks.start_soon(self.resolve, app)
                self.failures.extend(await self.ready.provision())

    async def write_secrets(self, output: Output) -> None:
        """With a warning where there are secrets that nobody asked for."""
        emit, resolved = self.ready.emit, self.ready.resolved.values()
        if output.secrets_file is None and any(desired.secrets for desired in resolved):
            message = "the secrets are not written anywhere; give --secrets-file"
            emit(WarningRaised(message=message, code="secrets_not_exported"))
        if resolved:
            try:
                await output.write_secrets(resolved, emit)
            except ScoreFlyError as error:
                self.failures.append(error)
