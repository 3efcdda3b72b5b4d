"""Inputs → provisioned resources → fly.toml files, without a visit to Fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from score_flyio.base.document import Document
from score_flyio.base.event_loop import event_loop
from score_flyio.base.record import frozen
from score_flyio.engine.output import Output
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.project import Project
from score_flyio.engine.selection import Selection, load_inputs
from score_flyio.errors import ResourceError, ScoreFlyError
from score_flyio.events import Listener, Scope, StateSaved, WarningRaised, WorkloadFinished
from score_flyio.events.run import run_frame

_Through: TypeAlias = Callable[[str, str, ScoreFlyError | None], None]
"""Tells of an app and its label that it is through, and why it failed."""


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

    Workloads that fail are told of together once the others are through; that error's `report` is
    what was generated.

    Raises:
        UsageError: options that do not fit the files, or nothing to generate.
        NotInitialised: there is no project state.
        StateError: the state cannot be read, locked or saved.
        ScoreFlyError: a workload failed; GenerateFailed where several did.
    """
    async with project.locked("generate") as state:
        inputs, refused = await load_inputs(project, selection, state)
        names = [item.workload or item.app_in(state) for item in inputs]
        failures = [each.error for each in refused]
        start = now()

        def through(app: str, label: str, error: ScoreFlyError | None) -> None:
            emit(
                WorkloadFinished(
                    scope=Scope.of_app(app, label),
                    outcome="failed" if error else "done",
                    error=error.message if error else None,
                    seconds=now() - start,
                )
            )

        with run_frame(emit, "generate", names, now=now) as frame:
            ready = Preparation.of(project, state, inputs, emit, output)
            ready.fit()
            for each in ready.refused:
                failures.append(each.error)
                through(each.app, each.label, each.error)
            if ready.inputs:
                ready.begin(lambda: project.registry(state), project.store, jobs=jobs)
                if ready.run is None:  # then there is nothing to wait for, and no loop to start
                    for app in ready.inputs:
                        failures += await _resolved(ready, app, through)
                    await project.store.save(state)
                    emit(StateSaved())
                else:
                    failures += await _all_at_once(ready, through)
            failures += await _write_secrets(ready, output, emit)
            frame.outcome = "failed" if failures else "done"
    result = GenerateResult(
        workloads=tuple(_generated(ready, app) for app in ready.inputs if app in ready.resolved)
    )
    if failures:
        error = as_one(failures)
        error.report = result
        raise error
    return result


async def _write_secrets(ready: Preparation, output: Output, emit: Listener) -> list[ScoreFlyError]:
    """What failed; a warning where there are secrets that nobody asked for."""
    if not ready.resolved:
        return []
    if output.secrets_file is None and any(d.secrets for d in ready.resolved.values()):
        message = "the secrets are not written anywhere; give --secrets-file"
        emit(WarningRaised(message=message, code="secrets_not_exported"))
    try:
        await output.write_secrets(ready.resolved.values(), emit)
    except ScoreFlyError as error:
        return [error]
    return []


def _generated(ready: Preparation, app: str) -> Generated:
    desired = ready.resolved[app]
    return Generated(
        workload=desired.label,
        app=app,
        file=ready.files[app][-1],
        secrets=tuple(sorted(desired.secrets)),
    )


async def _all_at_once(ready: Preparation, through: _Through) -> list[ScoreFlyError]:
    await event_loop()
    import anyio

    from score_flyio.errors.unwrap import unwrapped

    failures: list[ScoreFlyError] = []

    async def resolve(app: str) -> None:
        failures.extend(await _resolved(ready, app, through))

    with unwrapped():  # that the state cannot be saved ends everything
        async with anyio.create_task_group() as tasks:
            for app in ready.inputs:
                tasks.start_soon(resolve, app)
            failures += await ready.provision()
    return failures


async def _resolved(ready: Preparation, app: str, through: _Through) -> list[ScoreFlyError]:
    """What failed; resources tell themselves."""
    error: ScoreFlyError | None = None
    try:
        await ready.resolve(app)
    except ScoreFlyError as failed:
        error = failed
    through(app, ready.outlines[app].label, error)
    return [] if error is None or isinstance(error, ResourceError) else [error]
