"""Score files → provisioned resources → fly.toml files, as one run.

| Step | When it fails |
|---|---|
| load and validate each Score file | that workload is out; the others go on |
| find conflicts and circles among the resources | that workload is out, nothing of it is kept |
| enter workloads and resources into the state | |
| provision what the workloads need, concurrently; save each result at once | what needs it is out |
| convert and write each workload as soon as its own resources are there | that workload is out |
| write the secrets file | |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from score_flyio.base.atomic import write_atomically
from score_flyio.base.event_loop import event_loop, in_thread
from score_flyio.base.record import Record
from score_flyio.base.secret import Secret
from score_flyio.convert import Conversion, convert
from score_flyio.engine.project import Overrides, Project, filled, remember
from score_flyio.engine.secrets_file import CODE, render_all
from score_flyio.engine.writing import write_workload
from score_flyio.errors import (
    ConfigError,
    InputError,
    Problem,
    ResourceError,
    ScoreFlyError,
    StateError,
    UsageError,
)
from score_flyio.events import Event, FileWritten, Scope, StateSaved, WarningRaised, WorkloadLoaded
from score_flyio.resources.plan import ResourcePlan, plan_resources, record_plan
from score_flyio.score.load import LoadedWorkload
from score_flyio.state.model import ProjectState

if TYPE_CHECKING:
    from score_flyio.resources.registry import Registry
    from score_flyio.resources.run import ResourceRun
    from score_flyio.score.resources import Outputs

Emit = Callable[[Event], None]


@frozen(kw_only=True, eq=False, repr=False)
class GenerateOptions(Record):
    """What `generate` can be told."""

    overrides: Overrides = field(factory=Overrides)
    """Only with exactly one file."""
    output_dir: str | None = None
    """Where the fly.toml files go; None: the project's folder."""
    secrets_file: str | None = field(default=None, converter=filled)
    """Where the secrets go; `-`: they are only in the result, for stdout. Empty text: nowhere."""
    deploying: bool = False
    """Secrets will reach Fly in another way: no need to warn about them."""
    jobs: int | None = None
    """How many provisioners may run at once; see `ResourceRun`."""


@frozen(kw_only=True, eq=False, repr=False)
class Generated(Record):
    """One workload that was generated."""

    workload: str
    app: str
    file: str
    """The fly.toml."""
    conversion: Conversion = field(repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class GenerateResult(Record):
    """What came of a run; `failures` has what went wrong, each cause once."""

    generated: tuple[Generated, ...] = ()
    failures: tuple[ScoreFlyError, ...] = ()
    secrets_text: str | None = field(default=None, repr=False)
    """The content of the secrets file, if one was asked for and nothing failed."""


class GenerateFailed(ScoreFlyError):
    """Several workloads or resources failed; `failures` has each error."""

    def __init__(self, failures: Sequence[ScoreFlyError]) -> None:
        super().__init__(
            f"{len(failures)} things failed",
            code=failures[0].code,
            problems=[problem for error in failures for problem in _problems(error)],
        )
        self.failures = tuple(failures)


class InputsRefused(GenerateFailed):
    """Several Score files are wrong; nothing else failed."""

    exit_code = 2


def _problems(error: ScoreFlyError) -> tuple[Problem, ...]:
    alone = Problem(message=error.message, hint=error.hint, code=error.code)
    return error.problems or (alone,)


def raise_failures(failures: Sequence[ScoreFlyError]) -> None:
    """Raise a single failure as it is, and several as one error."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        wrong_input = all(isinstance(error, InputError) for error in failures)
        raise (InputsRefused if wrong_input else GenerateFailed)(failures)


async def generate(
    project: Project, files: Sequence[str], options: GenerateOptions, emit: Emit
) -> GenerateResult:
    """Generate the workloads of `files`; with none, all that the state knows.

    Failures of single workloads are in the result; what concerns the whole run is raised.

    Raises:
        UsageError: options that do not fit the files, or nothing to generate.
        NotInitialised: there is no project state.
        StateError: the state cannot be read, locked or saved.
    """
    if options.overrides and len(files) != 1:
        raise UsageError(
            "overrides and --image need exactly one Score file",
            hint="call generate once for each file",
        )
    async with project.locked("generate") as state:
        run = _Run(project=project, state=state, options=options, emit=emit)
        return await run.run(files)


@define(kw_only=True, eq=False, repr=False)
class _Run:
    project: Project
    state: ProjectState
    options: GenerateOptions
    emit: Emit
    failures: dict[ScoreFlyError, None] = field(factory=dict)
    """In order, each once."""
    generated: dict[str, Generated] = field(factory=dict)

    async def run(self, files: Sequence[str]) -> GenerateResult:
        loaded = self._load(files) if files else self._recall()
        loaded, plan = self._plan(loaded)
        if loaded and plan is not None:
            await self._provision_and_convert(loaded, plan)
        text = await self._write_secrets()
        generated = tuple(
            self.generated[item.workload.name]
            for item in loaded
            if item.workload.name in self.generated
        )
        return GenerateResult(generated=generated, failures=tuple(self.failures), secrets_text=text)

    def _load(self, files: Sequence[str]) -> list[LoadedWorkload]:
        loaded: dict[str, LoadedWorkload] = {}
        for file in files:
            try:
                item = self.project.load(file, self.options.overrides)
                self._conversion(item, {}, known_later=True)
            except ScoreFlyError as error:
                self._failed(error)
                continue
            name = item.workload.name
            if name in loaded:
                raise UsageError(
                    f"workload '{name}' is in both {loaded[name].file} and {file}",
                    hint="give one of them, or rename one of the workloads",
                )
            loaded[name] = item
            self._tell(name, item.notices)
            self.emit(WorkloadLoaded(scope=Scope(workload=name), file=file))
        return list(loaded.values())

    def _recall(self) -> list[LoadedWorkload]:
        if not self.state.workloads:
            raise UsageError(
                "there is nothing to generate: the project has no workload yet",
                hint="name a Score file: score-flyio generate score.yaml",
            )
        loaded = []
        for name in sorted(self.state.workloads):
            try:
                loaded.append(self.project.recall(self.state, name))
            except ScoreFlyError as error:
                self._failed(error)
        return loaded

    def _plan(
        self, loaded: list[LoadedWorkload]
    ) -> tuple[list[LoadedWorkload], ResourcePlan | None]:
        """The workloads that fit together, and the plan for them; the others have failed."""
        accepted: list[LoadedWorkload] = []
        plan: ResourcePlan | None = None
        try:
            return loaded, self._plan_for(loaded)
        except ScoreFlyError:
            # Something does not fit: one after the other shows which.
            for item in loaded:
                try:
                    plan = self._plan_for([*accepted, item])
                except ScoreFlyError as error:
                    self._failed(error)
                else:
                    accepted.append(item)
        return accepted, plan

    def _plan_for(self, loaded: Sequence[LoadedWorkload]) -> ResourcePlan:
        documents = {name: record.spec for name, record in self.state.workloads.items()}
        documents |= {item.workload.name: item.document for item in loaded}
        return plan_resources(documents, [item.workload.name for item in loaded])

    async def _provision_and_convert(
        self, loaded: Sequence[LoadedWorkload], plan: ResourcePlan
    ) -> None:
        remember(self.state, loaded)
        for conflict in plan.foreign_conflicts:
            self._warn(conflict.error().message, "resource_conflict")
        if orphans := record_plan(self.state, plan):
            names = ", ".join(str(uid) for uid in orphans)
            self._warn(f"no workload uses these resources any more: {names}", "orphaned_resources")
        registry = self.project.registry(self.state)
        if plan.order:
            await self._convert_as_provisioned(loaded, plan, self._resource_run(plan, registry))
            return
        for item in loaded:
            await self._convert(item, plan, None)
        await self.project.store.save(self.state)
        self.emit(StateSaved())

    async def _convert_as_provisioned(
        self, loaded: Sequence[LoadedWorkload], plan: ResourcePlan, run: ResourceRun
    ) -> None:
        await event_loop()
        import anyio

        unsaved: StateError | None = None
        async with anyio.create_task_group() as tasks:
            for item in loaded:
                tasks.start_soon(self._convert, item, plan, run)
            try:
                await self._provision(run)
            except StateError as error:
                unsaved = error
                tasks.cancel_scope.cancel()
        if unsaved is not None:
            raise unsaved

    def _resource_run(self, plan: ResourcePlan, registry: Registry) -> ResourceRun:
        from score_flyio.resources.run import ResourceRun

        return ResourceRun(
            plan,
            state=self.state,
            store=self.project.store,
            registry=registry,
            emit=self.emit,
            jobs=self.options.jobs,
        )

    async def _provision(self, run: ResourceRun) -> None:
        try:
            await run.run()
        except ResourceError as error:
            self._failed(*(run.failures or [error]))

    async def _convert(
        self, loaded: LoadedWorkload, plan: ResourcePlan, run: ResourceRun | None
    ) -> None:
        name = loaded.workload.name
        uids = plan.resources_of(name)
        try:
            by_uid = await run.outputs(uids.values()) if run is not None else {}
        except ResourceError:
            return  # the run itself tells what failed
        try:
            outputs = {resource: by_uid[uid] for resource, uid in uids.items()}
            conversion = self._conversion(loaded, outputs)
            file = await write_workload(
                self.project,
                name,
                conversion.spec,
                conversion.side_files,
                self.options.output_dir,
            )
        except ScoreFlyError as error:
            self._failed(error)
            return
        self._tell(name, conversion.notices)
        app = self.state.app_name(name)
        self.emit(FileWritten(scope=Scope(workload=name, app=app), file=file))
        self.generated[name] = Generated(workload=name, app=app, file=file, conversion=conversion)

    def _conversion(
        self, loaded: LoadedWorkload, outputs: Mapping[str, Outputs], *, known_later: bool = False
    ) -> Conversion:
        return convert(
            loaded,
            app_name=self.state.app_name(loaded.workload.name),
            outputs=outputs,
            read_file=lambda path: (self.project.directory / path).read_bytes(),
            known_later=known_later,
            side_folder=self.options.output_dir or "",
        )

    async def _write_secrets(self) -> str | None:
        secrets: dict[str, Mapping[str, Secret]] = {
            item.app: item.conversion.secrets for item in self.generated.values()
        }
        target = self.options.secrets_file
        if target is None:
            if any(secrets.values()) and not self.options.deploying:
                self._warn(
                    "the secrets are not written anywhere; give --secrets-file",
                    "secrets_not_exported",
                )
            return None
        if not self.generated:
            return None
        try:
            text = render_all(secrets)
            if target != "-":
                await in_thread(_write_private, (self.project.directory / target, text))
                self.emit(FileWritten(file=target))
        except OSError as error:
            self._failed(
                ConfigError(f"--secrets-file: {target}: {error.strerror or error}", code=CODE)
            )
        except ConfigError as error:
            self._failed(error)
        else:
            return text
        return None

    def _failed(self, *errors: ScoreFlyError) -> None:
        self.failures |= dict.fromkeys(errors)

    def _tell(self, workload: str, notices: Sequence[Problem]) -> None:
        for notice in notices:
            self._warn(str(notice), notice.key, workload)

    def _warn(self, message: str, code: str, workload: str | None = None) -> None:
        self.emit(WarningRaised(scope=Scope(workload=workload), message=message, code=code))


def _write_private(file: tuple[Path, str]) -> None:
    path, text = file
    if path.exists() and not path.is_file():
        # A pipe or a device, such as /dev/stdout, is written to as it is.
        path.write_text(text, encoding="utf-8")
    else:
        write_atomically(path, text.encode())
