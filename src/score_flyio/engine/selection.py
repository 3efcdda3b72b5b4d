"""Which apps a command is about, and what their files say, each for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from score_flyio.base.record import field, frozen
from score_flyio.engine.inputs import FlyTomlApp, Input, ScoreApp
from score_flyio.engine.project import Overrides, Project
from score_flyio.engine.refusal import Around, refusal
from score_flyio.errors import NotInitialised, ScoreFlyError, UsageError
from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class Selection:
    """Which apps a command is about; with neither files nor configs, all that the state knows."""

    files: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    """fly.toml files that somebody wrote; `files` are those of Score."""
    app: str | None = None
    """Replaces the app of the only fly.toml."""
    app_from: str = "--app"
    """Where that was given, for messages."""
    refresh: bool = False
    """Without files: read those of the workloads again."""
    overrides: Overrides = field(factory=Overrides)
    """Only with exactly one Score file."""


@frozen(kw_only=True)
class Refused:
    """An input that cannot be used, and why."""

    label: str
    error: ScoreFlyError
    app: str = ""
    """The app that it would be, where that is known."""


async def load_inputs(
    project: Project, selection: Selection, state: ProjectState | None = None
) -> tuple[tuple[Input, ...], tuple[Refused, ...]]:
    """Reads everything that is selected; `state` where it is known already.

    Raises UsageError, and NotInitialised where the state is needed and there is none.
    """
    _check(selection)
    if state is None and (selection.files or not selection.configs):
        try:
            state = await project.read()
        except NotInitialised as error:
            if (project.directory / "fly.toml").is_file():
                error.hint = f"{error.hint}; or deploy the fly.toml here with --config fly.toml"
            raise
    calls: list[tuple[str, Callable[[], Input]]] = []
    if state is not None and not selection.files and not selection.configs:
        if not state.workloads:
            raise UsageError(
                "there is nothing to do: the project has no workload yet",
                hint="name a Score file, such as score.yaml",
            )
        recall = partial(project.recall, state, refresh=selection.refresh)
        calls += [(name, partial(recall, name)) for name in sorted(state.workloads)]
    overrides, folder = selection.overrides, project.directory
    config = partial(FlyTomlApp.load, app=selection.app, app_from=selection.app_from)
    calls += [(file, partial(project.examine, file, overrides)) for file in selection.files]
    calls += [(c, partial(config, c, folder)) for c in selection.configs]
    found: list[tuple[str, Input | ScoreFlyError]] = []
    for label, call in calls:
        try:
            found.append((label, call()))
        except ScoreFlyError as error:
            found.append((label, error))
    items = score_apps(each for _, each in found)
    around = Around(project=project, state=state or ProjectState(), items=items)
    inputs: list[Input] = []
    refused: list[Refused] = []
    for label, item in found:
        if isinstance(item, ScoreFlyError):
            refused.append(Refused(label=label, error=item))
        elif isinstance(item, ScoreApp) and item.loaded.problems:
            refused.append(Refused(label=label, error=refusal(item, around)))
        else:
            inputs.append(item)
    _check_twice(inputs)
    return tuple(inputs), tuple(refused)


def _check(selection: Selection) -> None:
    if selection.app and (selection.files or len(selection.configs) != 1):
        raise UsageError(
            "--app names the app of one fly.toml: it needs exactly one --config and no Score file",
            hint="the app of a Score workload is the project's prefix and the workload's name",
        )
    if selection.refresh and (selection.files or selection.configs):
        raise UsageError(
            "--refresh reads the Score files of all workloads anew; it takes no FILE or --config",
            hint="leave it out: a FILE that is given is read in any case",
        )
    if selection.overrides and len(selection.files) != 1:
        raise UsageError(
            "overrides and --image need exactly one Score file",
            hint="call the command once for each file",
        )


def _check_twice(inputs: Sequence[Input]) -> None:
    files: dict[str, str] = {}
    for item in score_apps(inputs):
        first, file = files.get(item.workload), item.loaded.file
        files[item.workload] = file
        if first == file:
            raise UsageError(f"{file} is given twice", hint="name each file once")
        if first is not None:
            raise UsageError(
                f"workload '{item.workload}' is in both {first} and {file}",
                hint="give one of them, or rename one of the workloads",
            )


def score_apps(inputs: Iterable[Any]) -> tuple[ScoreApp, ...]:
    """Those that are Score workloads."""
    return tuple(item for item in inputs if isinstance(item, ScoreApp))
