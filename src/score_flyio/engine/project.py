"""One project directory: its state, its provisioners, its workloads."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from score_flyio.base.atomic import READABLE, write_atomically
from score_flyio.base.event_loop import event_loop, in_thread
from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.own_folder import OWN_FOLDER
from score_flyio.base.printable import one_line
from score_flyio.base.record import evolve, field, frozen
from score_flyio.engine.inputs import ScoreApp
from score_flyio.errors import ConfigError, Problem, ScoreFileError, UsageError
from score_flyio.flytoml.names import can_begin_app_name
from score_flyio.state.file import FileStore
from score_flyio.state.locate import open_store
from score_flyio.state.model import FLY, ProjectState, WorkloadRecord
from score_flyio.state.store import StateStore, Warn, not_initialised
from score_flyio.state.targets import TARGET_VARIABLE, TargetStore

if TYPE_CHECKING:
    from score_flyio.resources.registry import Registry
    from score_flyio.resources.servers.access import FlyAccess
    from score_flyio.resources.template.surroundings import Surroundings
    from score_flyio.score.load import LoadedWorkload

PROVISIONER_TIMEOUT: Final = 1800.0
"""Seconds for one call of a provisioner."""
FILES_FROM = "SCORE_FLYIO_FILES_FROM"
"""Variable with more folders that `source` of a container's file may lie in, as PATH lists them."""

SAMPLE: Final = """\
# A sample Score workload; see https://docs.score.dev/docs/score-specification/
apiVersion: score.dev/v1b1
metadata:
  name: example
  annotations:
    score-flyio.astromechza.github.com/service-web-handlers: tls,http
containers:
  main:
    image: stefanprodan/podinfo
service:
  ports:
    web:
      port: 443
      targetPort: 9898
"""


def filled(text: str | None) -> str | None:
    """A setting of which an empty text says nothing, as where a script has no value for it."""
    return text or None


@frozen(kw_only=True)
class Overrides:
    """Changes of a Score document as it is loaded. An empty file or image counts as none."""

    file: str | None = field(default=None, converter=filled)
    """YAML map laid over the document first."""
    properties: tuple[str, ...] = ()
    """`PATH=VALUE` texts, applied in order after that."""
    image: str | None = field(default=None, converter=filled)
    """Replaces the image `.`."""

    def __bool__(self) -> bool:
        return bool(self.file is not None or self.properties or self.image is not None)


@frozen(kw_only=True)
class Initialised:
    """What `Project.init` did."""

    created: bool
    """Whether there was no state before."""
    sample: str | None
    """The sample Score file that was written."""


@frozen(eq=False, repr=False)
class Project:
    """A folder with Score files and a project state. Opening it reads nothing."""

    directory: Path
    """Paths are relative to it."""
    store: StateStore = field(repr=False)
    """Where the project state is kept."""
    environ: Mapping[str, str] = field(factory=lambda: os.environ, repr=False)
    """Variables that provisioners in this process read."""
    target: str = FLY
    """What its state belongs to; see `at`."""
    parts_states: bool = False
    """Whether each target has a state of its own; a store that a program gives is for all."""

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        state: str | None = None,
        environ: Mapping[str, str] | None = None,
        warn: Warn | None = None,
        state_from: str = "state",
    ) -> Project:
        """The project in `directory`; `state` is a URL or folder other than the usual one.

        `warn` is told what goes wrong beside a save of the state that is done; `state_from` says in
        messages where `state` was given.
        """
        variables = os.environ if environ is None else environ
        store = open_store(state, directory, variables, warn=warn, named=state_from)
        return cls(directory, store, variables, parts_states=True)

    def at(self, target: str) -> Self:
        """The project with the state of one target: what a run elsewhere made is not in it.

        Such is `fly`, `emulator`, or the address of what plays the platform.
        """
        if target == self.target or not self.parts_states:
            return self
        store = self.store.project if isinstance(self.store, TargetStore) else self.store
        if target != FLY:
            folder = store.folder if isinstance(store, FileStore) else self.directory / OWN_FOLDER
            store = TargetStore(store, folder, target)
        environ = {**self.environ, TARGET_VARIABLE: target}
        return evolve(self, store=store, environ=environ, target=target)

    async def init(
        self,
        prefix: str | None,
        *,
        sample: str | None = None,
        default_provisioners: bool | None = None,
    ) -> Initialised:
        """Start the project; what is there already stays.

        Args:
            prefix: of the names of all apps; needed the first time, may be empty text.
            sample: where to write a sample Score file unless there is one; None: nowhere.
            default_provisioners: whether those that come with score-flyio serve what no other
                does; None: as it is.

        Raises UsageError without a prefix the first time, and for another one than before.
        """
        state = await self.store.load()
        if state is not None and prefix not in {None, "", state.app_prefix}:
            raise UsageError(
                f"--fly-app-prefix: the prefix of this project is {state.app_prefix!r} and cannot "
                f"change to {prefix!r}",
                hint="leave the option out, or start a new project in another folder",
                code="init_prefix_conflict",
            )
        if state is None:
            if prefix is None:
                raise UsageError(
                    "--fly-app-prefix is needed to start a project",
                    hint="app names are global at Fly; give a prefix of your own, or "
                    "--fly-app-prefix= for none",
                    code="init_prefix_missing",
                )
            check_prefix(prefix)
            await self.store.save(ProjectState.new(prefix))
        if default_provisioners is not None:
            async with self.locked("init") as known:
                known.default_provisioners = default_provisioners
                await self.store.save(known)
        return Initialised(
            created=state is None, sample=await in_thread(self._write_sample, sample)
        )

    def _write_sample(self, sample: str | None) -> str | None:
        if not sample or (self.directory / sample).exists():
            return None
        write_atomically(self.directory / sample, SAMPLE.encode(), mode=READABLE)
        return sample

    async def read(self) -> ProjectState:
        """The state, to look at. Raises NotInitialised, StateCorrupt and StateTooNew."""
        state = await self.store.load()
        if state is None:
            raise not_initialised()
        return state

    @asynccontextmanager
    async def locked(self, owner: str) -> AsyncIterator[ProjectState]:
        """The state, to change; nobody else can meanwhile. `owner` tells others who holds it.

        Raises StateLocked, NotInitialised, StateCorrupt and StateTooNew.
        """
        if not isinstance(self.store, FileStore):  # other places are waited for
            await event_loop()
        async with self.store.lock(owner):
            yield await self.read()

    def load(self, file: str, overrides: Overrides | None = None) -> ScoreApp:
        """Read and validate a Score file, but for placeholders in params. Raises ScoreFileError."""
        found = self.examine(file, overrides)
        found.loaded.raise_problems()
        return found

    def examine(self, file: str, overrides: Overrides | None = None) -> ScoreApp:
        """The same, but what is wrong with the document is in `loaded.problems`."""
        from score_flyio.score.load import read_score_file

        chosen = overrides or Overrides()
        loaded = read_score_file(
            self.directory / file,
            overrides_file=None if chosen.file is None else self.directory / chosen.file,
            override_properties=chosen.properties,
            image=chosen.image,
            params_later=True,
        )
        named = evolve(loaded, file=file, origin=evolve(loaded.origin, file=file))
        return ScoreApp(loaded=named, directory=self.directory, within=self._within(file))

    def recall(self, state: ProjectState, name: str, *, refresh: bool = False) -> ScoreApp:
        """A workload as it was loaded last, or with `refresh` as its file has it now.

        Raises UsageError and ScoreFileError.
        """
        record = state.workloads.get(name)
        if record is None:
            raise no_workloads([name], state.workloads)
        file = record.file or f"workload {name}"
        kept = ScoreApp.from_document(
            record.spec, file, directory=self.directory, within=self._within(record.file or "")
        )
        if not record.file or not (refresh or (self.directory / record.file).is_file()):
            return kept
        mark = state.overridden.get(name)
        if refresh:
            return _refreshed(kept, self.examine(record.file), mark)
        try:
            remarks = _changed(kept, self.examine(record.file), mark)
        except ScoreFileError as error:
            remarks = error.problems
        return evolve(kept, remarks=remarks)

    def _within(self, file: str) -> tuple[Path, ...]:
        """Where a Score file may take files from: whoever wrote it may be somebody else."""
        more = self.environ.get(FILES_FROM, "").split(os.pathsep)
        folders = (self.directory, (self.directory / file).parent, *map(Path, filter(None, more)))
        return tuple(dict.fromkeys(folders))

    def install_provisioners(
        self, contents: Sequence[tuple[str, bytes]], *, now: float
    ) -> tuple[Path, ...]:
        """Install files of provisioners (source and content); the first comes first of all.

        `now` is in seconds since the epoch. Raises ConfigError before anything is written.
        """
        if not contents:
            return ()
        from score_flyio.resources.template.entry import read_entries
        from score_flyio.resources.template.files import install

        folder = self.directory / OWN_FOLDER
        for source, content in contents:
            read_entries(content, file=source, directory=self.directory)
        folder.mkdir(mode=0o700, exist_ok=True)
        paths = [
            install(folder, content, source=source, now=now + place)
            for place, (source, content) in enumerate(reversed(contents))
        ]
        return tuple(reversed(paths))

    def registry(
        self,
        state: ProjectState,
        *,
        access: Callable[[], FlyAccess] | None = None,
    ) -> Registry:
        """The provisioners that serve this project: those of the state, and those of files.

        `access` is the way to Fly, for servers; None: that of the environment. Raises ConfigError.
        """
        from score_flyio.resources.registry import Means, project_registry

        def surroundings() -> Surroundings:
            from score_flyio.resources.template.surroundings import Surroundings

            return Surroundings(state=state, environ=self.environ)

        def from_environment() -> FlyAccess:
            from score_flyio.engine.target import access_from_environment

            return access_from_environment(self.environ, directory=self.directory)

        return project_registry(
            state.provisioners,
            Means(surroundings, access or from_environment, PROVISIONER_TIMEOUT),
            folder=self.directory / OWN_FOLDER,
            defaults=state.default_provisioners,
        )

    def toml_path(self, workload: str, output_dir: str | None = None) -> Path:
        """Where the fly.toml of a workload is written."""
        return self.directory / (output_dir or "") / f"fly_{workload}.toml"


def remember(state: ProjectState, loaded: Sequence[LoadedWorkload]) -> None:
    """Enter workloads into the state, in place of older ones of the same names."""
    for item in loaded:
        record = WorkloadRecord(spec=item.document, file=item.file)
        state.workloads[item.workload.name] = record
        if item.origin.source is not None:  # else it was not read now
            state.overridden.pop(item.workload.name, None)
            if item.origin.overrides:
                state.overridden[item.workload.name] = _mark_of(item)


def _mark_of(loaded: LoadedWorkload) -> str:
    """What tells the text of a Score file from a changed one."""
    from hashlib import sha256

    source = loaded.origin.source
    text = json.dumps(source and source.value, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


def _changed(kept: ScoreApp, now: ScoreApp, mark: str | None) -> tuple[Problem, ...]:
    """The remark on a file that says something else than what is kept of it.

    `mark` is that of a file which was read with overrides: only the text can be compared then.
    """
    if mark is None:
        same = not now.loaded.problems and _as_kept(now, kept) == kept.loaded.document
    else:
        same = _mark_of(now.loaded) == mark
    if same:
        return ()
    remark = Problem(
        file=now.loaded.file,
        message=f"has changed since it was read; workload '{kept.workload}' is as it was then",
        hint="give --refresh" if mark is None else "give it as FILE, with its overrides",
        code="score_file_changed",
    )
    return (remark,)


def _refreshed(kept: ScoreApp, now: ScoreApp, mark: str | None) -> ScoreApp:
    """The workload as its file has it now. Raises UsageError with why that cannot be told."""
    if mark is not None:
        raise UsageError(
            f"{now.loaded.file}: workload '{kept.workload}' was read from it with overrides, which "
            "--refresh does not have",
            hint="give it as FILE, with its overrides",
        )
    if not now.loaded.problems and now.workload != kept.workload:
        raise UsageError(
            f"{now.loaded.file}: it has workload '{now.workload}' now, no longer '{kept.workload}'",
            hint=f"give it as FILE, or forget the old one: workloads remove {kept.workload}",
        )
    if now.loaded.problems:
        return now
    return evolve(now, loaded=now.loaded.with_document(_as_kept(now, kept)))


def _as_kept(now: ScoreApp, kept: ScoreApp) -> dict[str, Any]:
    """The document as it is now, with images in place of `.` as they were given before."""
    before = kept.loaded.document["containers"]
    containers = {
        name: {**each, "image": before[name]["image"]}
        if each["image"] == "." and name in before
        else each
        for name, each in now.loaded.document["containers"].items()
    }
    return {**now.loaded.document, "containers": containers}


def no_workloads(names: Sequence[str], known: Collection[str]) -> UsageError:
    """The error for workloads that are not among those of the project."""
    near = dict.fromkeys(each for name in names if (each := nearest(name, known)))
    meant = did_you_mean(_quoted(near), after=" ")
    return UsageError(
        f"there is no workload {_quoted(names)} in the project",
        hint=f"{meant}known workloads: {', '.join(sorted(known)) or 'none yet'}",
        code="unknown_workload",
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{one_line(name)}'" for name in names)


def check_prefix(prefix: str) -> None:
    """Raises ConfigError for a prefix that can never give the name of a Fly app."""
    if not can_begin_app_name(prefix):
        raise ConfigError(
            f"--fly-app-prefix: {prefix!r} cannot start the name of a Fly app",
            hint="use lower-case letters, digits and dashes, and start with a letter or digit",
            code="app_name_invalid",
        )
