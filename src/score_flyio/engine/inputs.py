"""From the names on a command line to what is deployed; what is broken is kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from score_flyio.engine.deployable import FlyTomlApp, Input
from score_flyio.engine.project import Overrides, Project
from score_flyio.errors import NotInitialised, ScoreFlyError, UsageError
from score_flyio.resources.plan import plan_resources
from score_flyio.score.load import LoadedWorkload
from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class Selection:
    """Which apps a command is about."""

    files: tuple[str, ...] = ()
    """Score files."""
    configs: tuple[str, ...] = ()
    """fly.toml files that somebody wrote."""
    app: str | None = None
    """Replaces the app of the only fly.toml."""
    overrides: Overrides = field(factory=Overrides)
    """Only with exactly one Score file."""


@frozen(kw_only=True)
class Broken:
    """An input that cannot be used, and why."""

    label: str
    error: ScoreFlyError


@frozen(kw_only=True)
class Loaded:
    """What can be deployed, and what cannot."""

    inputs: tuple[Input, ...]
    broken: tuple[Broken, ...] = ()


async def load_inputs(project: Project, selection: Selection) -> Loaded:
    """Reads everything; with neither files nor configs, every workload of the state.

    Raises:
        UsageError: options that do not fit together, one workload twice, or nothing to do.
        NotInitialised: the state is asked for and there is none.
    """
    _check(selection)
    if not selection.files and not selection.configs:
        return recall_workloads(project, await _state(project))
    inputs: list[Input] = []
    broken: list[Broken] = []
    for file in selection.files:
        try:
            inputs.append(project.load(file, selection.overrides))
        except ScoreFlyError as error:
            broken.append(Broken(label=file, error=error))
    for file in selection.configs:
        try:
            inputs.append(FlyTomlApp.load(file, project.directory, app=selection.app))
        except ScoreFlyError as error:
            broken.append(Broken(label=file, error=error))
    _check_twice(inputs)
    if selection.files:
        inputs, odd = _fitting(await _state(project), inputs)
        broken += odd
    return Loaded(inputs=tuple(inputs), broken=tuple(broken))


def recall_workloads(
    project: Project, state: ProjectState, names: Sequence[str] | None = None
) -> Loaded:
    """Workloads as they were loaded last; None: all of them.

    Raises:
        UsageError: the project has no workload, or not this one.
    """
    if names is None and not state.workloads:
        raise UsageError(
            "there is nothing to deploy: the project has no workload yet",
            hint="name a Score file, or a fly.toml with --config",
        )
    inputs: list[Input] = []
    broken: list[Broken] = []
    for name in sorted(state.workloads) if names is None else names:
        try:
            inputs.append(project.recall(state, name))
        except UsageError:
            raise
        except ScoreFlyError as error:
            broken.append(Broken(label=name, error=error))
    inputs, odd = _fitting(state, inputs)
    return Loaded(inputs=tuple(inputs), broken=(*broken, *odd))


async def _state(project: Project) -> ProjectState:
    try:
        return await project.read()
    except NotInitialised as error:
        if (project.directory / "fly.toml").is_file():
            error.hint = f"{error.hint}; or deploy the fly.toml here with --config fly.toml"
        raise


def _check(selection: Selection) -> None:
    if selection.app and (selection.files or len(selection.configs) != 1):
        raise UsageError(
            "--app names the app of one fly.toml: it needs exactly one --config and no Score file",
            hint="the app of a Score workload is the project's prefix and the workload's name",
        )
    if selection.overrides and len(selection.files) != 1:
        raise UsageError(
            "overrides need exactly one Score file",
            hint="call the command once for each file",
        )


def _check_twice(inputs: Sequence[Input]) -> None:
    files: dict[str, str] = {}
    for item in inputs:
        if not isinstance(item, LoadedWorkload):
            continue
        name = item.workload.name
        if name in files:
            raise UsageError(
                f"workload '{name}' is in both {files[name]} and {item.file}",
                hint="give one of them, or rename one of the workloads",
            )
        files[name] = item.file


def _fitting(state: ProjectState, inputs: Sequence[Input]) -> tuple[list[Input], list[Broken]]:
    """The inputs whose resources fit together; of two that do not, the later one is out."""
    loaded = {i.workload.name: i.document for i in inputs if isinstance(i, LoadedWorkload)}
    fitting: dict[str, Mapping[str, Any]] = {
        name: record.spec for name, record in state.workloads.items() if name not in loaded
    }
    accepted: list[Input] = []
    broken: list[Broken] = []
    for item in inputs:
        if isinstance(item, LoadedWorkload):
            name = item.workload.name
            try:
                plan_resources({**fitting, name: item.document}, [name])
            except ScoreFlyError as error:
                broken.append(Broken(label=name, error=error))
                continue
            fitting[name] = item.document
        accepted.append(item)
    return accepted, broken
