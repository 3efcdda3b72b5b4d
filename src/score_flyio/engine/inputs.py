"""What can be deployed: a Score workload, or a fly.toml written by hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from score_flyio.base.place import place_text
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.deploy.model import DesiredApp, host_name
from score_flyio.errors import ConfigError, Problem, ScoreFileError
from score_flyio.flytoml.limits import app_name_problems
from score_flyio.flytoml.names import is_host_name
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.model import ProjectState

if TYPE_CHECKING:
    from score_flyio.flytoml.document import FlyTomlDocument
    from score_flyio.score.load import LoadedWorkload
    from score_flyio.score.resources import Outputs

HOSTNAME_TYPES = frozenset({"dns", "route"})
"""Types of resources whose output `host` is a name under which a workload is reached."""
PLATFORM_NAMES = (".fly.dev", ".internal", ".flycast")
"""Ends of names that Fly serves by itself."""


class Input(ABC):
    """One app to be, as somebody wrote it."""

    __slots__ = ()

    @property
    @abstractmethod
    def workload(self) -> str | None:
        """Name of the Score workload, if it is one."""

    @property
    def may_have_secrets(self) -> bool:
        """Whether secrets may come with it; which, only its resources know."""
        return False

    @property
    def may_have_hostnames(self) -> bool:
        """Whether host names of people's own may lead to the app."""
        return False

    @property
    @abstractmethod
    def build_folder(self) -> Path:
        """The context of an image that has to be built."""

    @property
    @abstractmethod
    def build_base(self) -> Path:
        """Where paths in `[build]` start."""

    @abstractmethod
    def located(self, problems: Iterable[Problem], spec: AppSpec) -> tuple[Problem, ...]:
        """Problems of the app that it became, with file and line; those of options stay."""

    @abstractmethod
    def app_in(self, state: ProjectState) -> str:
        """Name of the Fly app."""

    @abstractmethod
    def resolve(
        self,
        app: str,
        outputs: Mapping[str, Outputs],
        *,
        pending: bool = False,
        kept: Collection[str] = (),
        elsewhere: Collection[str] = (),
        folder: str | None = None,
    ) -> DesiredApp:
        """The app as it should run.

        Args:
            app: its name.
            outputs: of resources, by their names in the workload.
            pending: outputs that are missing show as known later; without, they are an error.
            kept: names of secrets that the app has: what is pending and was one of them stays so.
            elsewhere: names of its resources whose host names lead to other apps.
            folder: of the fly.toml that is written, relative to the working directory.

        Raises InputError with all problems.
        """


@frozen(kw_only=True)
class ScoreApp(Input):
    """A Score workload."""

    loaded: LoadedWorkload
    """The workload, and the file it comes from."""
    directory: Path
    """The working directory: local files are relative to it."""
    within: tuple[Path, ...] = ()
    """Where local files must lie; empty: anywhere."""
    remarks: tuple[Problem, ...] = ()
    """What there is to say of how it was read."""
    promised: Mapping[str, frozenset[str]] = field(factory=dict)
    """By resource name, the names of all outputs that it will have, where they are known."""

    @classmethod
    def from_document(
        cls,
        document: dict[str, Any],
        file: str,
        *,
        directory: Path = Path(),
        within: tuple[Path, ...] = (),
    ) -> ScoreApp:
        """From a Score document; `file` is how messages call it. Raises ScoreFileError."""
        from score_flyio.score.load import workload_from_document

        loaded = workload_from_document(document, file)
        return cls(loaded=loaded, directory=directory, within=within)

    @property
    def workload(self) -> str:
        return self.loaded.workload.name

    @property
    def may_have_secrets(self) -> bool:
        return bool(self.loaded.workload.resources)

    @property
    def may_have_hostnames(self) -> bool:
        return any(r.type in HOSTNAME_TYPES for r in self.loaded.workload.resources.values())

    @property
    def build_folder(self) -> Path:
        from score_flyio.convert.build import build_context

        beside = (self.directory / self.loaded.file).parent
        return beside / build_context(self.loaded.workload)

    @property
    def build_base(self) -> Path:
        return self.directory

    def located(self, problems: Iterable[Problem], spec: AppSpec) -> tuple[Problem, ...]:
        from score_flyio.convert.places import score_place

        def located(problem: Problem) -> Problem:
            found = score_place(problem.path, spec, self.loaded.workload)
            if found is None:
                return problem
            place, inside = found
            message = ": ".join(filter(None, (place_text(inside), problem.message)))
            return self.loaded.origin.located(evolve(problem, path=place, message=message))

        return tuple(map(located, problems))

    @property
    def promises(self) -> Mapping[str, frozenset[str] | None]:
        """What its resources will have, for placeholders."""
        return {name: self.promised.get(name) for name in self.loaded.workload.resources}

    def app_in(self, state: ProjectState) -> str:
        return state.app_name(self.workload)

    def resolve(
        self,
        app: str,
        outputs: Mapping[str, Outputs],
        *,
        pending: bool = False,
        kept: Collection[str] = (),
        elsewhere: Collection[str] = (),
        folder: str | None = None,
    ) -> DesiredApp:
        from score_flyio.convert import convert

        local = LocalFiles(self.directory, self.within)
        found = convert(
            self.loaded,
            app_name=app,
            outputs=outputs,
            read_file=local.read,
            known_later=self.promises if pending else {},
            kept=kept,
            elsewhere=elsewhere,
            side_folder=folder or "",
        )
        return DesiredApp(
            name=app,
            spec=found.spec,
            secrets=found.secrets,
            workload=self.workload,
            files=evolve(local, made=found.side_files),
            side_files=found.side_files,
            exposure=found.exposure,
            hostnames=self._hostnames(outputs, elsewhere),
            notices=(*self.remarks, *found.notices),
        )

    def _hostnames(
        self, outputs: Mapping[str, Outputs], elsewhere: Collection[str]
    ) -> tuple[str, ...]:
        """What resources of types for names call `host`, but for Fly's own names.

        Raises ScoreFileError for what is no name of a host: no certificate can be for it.
        """
        from score_flyio.score.placeholders import PENDING

        types = {n: each.type for n, each in self.loaded.workload.resources.items()}
        hosts = {
            name: host_name(host)
            for name, each in outputs.items()
            if types[name] in HOSTNAME_TYPES and name not in elsewhere
            if isinstance(host := each.values.get("host"), str) and "." in host
        }
        problems = [
            Problem(
                path=("resources", name),
                message=f"its provisioner gives {host!r} as host, which is no host name",
                hint="it has to give one such as www.example.com",
                code="host_name_invalid",
            )
            for name, host in sorted(hosts.items())
            if PENDING not in host and not is_host_name(host)
        ]
        if problems:
            raise ScoreFileError(problems=tuple(map(self.loaded.origin.located, problems)))
        return tuple(sorted(h for h in {*hosts.values()} if not h.endswith(PLATFORM_NAMES)))


@frozen(kw_only=True)
class FlyTomlApp(Input):
    """A fly.toml that somebody wrote, deployed as it is."""

    app: str
    """Its name, which may be another than that in the file."""
    document: FlyTomlDocument = field(repr=False)
    """The file as it was read."""
    spec: AppSpec
    """What the file says, under the name of the app."""
    directory: Path
    """The working directory: local files are relative to it, as for flyctl."""
    app_from: str = "--app"
    """Where another name than that in the file was given, for messages."""

    @classmethod
    def load(
        cls,
        file: str | None,
        directory: Path,
        *,
        app: str | None = None,
        app_from: str = "--app",
    ) -> FlyTomlApp:
        """Reads and validates; `app` replaces the name in the file. Raises ConfigError."""
        from score_flyio.flytoml.load import find_fly_toml, read_document

        path = find_fly_toml(directory / file if file else None, directory=directory)
        document = read_document(path)
        spec = document.accepted()
        name = app or spec.app
        if not name:
            raise ConfigError(
                f"{path.name}: app: there is no app name", hint="add `app = …`, or give --app NAME"
            )
        return cls(
            app=name,
            document=document,
            spec=evolve(spec, app=name),
            directory=directory,
            app_from=app_from,
        )

    @property
    def workload(self) -> None:
        return None

    @property
    def build_folder(self) -> Path:
        return self.directory

    @property
    def build_base(self) -> Path:
        return self.directory / Path(self.document.file or "").parent

    def located(
        self,
        problems: Iterable[Problem],
        spec: AppSpec,  # noqa: ARG002  # the file says it itself
    ) -> tuple[Problem, ...]:
        found: list[Problem] = []
        for problem in problems:
            place = str(problem.path[0])
            elsewhere = place.startswith("-") or place.isupper()  # an option, or a variable
            found += [problem] if elsewhere else self.document.located([problem])
        return tuple(found)

    def app_in(self, state: ProjectState) -> str:  # noqa: ARG002  # it names its app itself
        return self.app

    def resolve(
        self,
        app: str,
        outputs: Mapping[str, Outputs],  # noqa: ARG002  # it has no resources
        **_of_resources: object,
    ) -> DesiredApp:
        from score_flyio.deploy.desired.problems import undeployable_problems

        files = LocalFiles(self.directory)
        named = "app" if app == self.document.app else self.app_from
        problems = self.document.located(app_name_problems(app, place=named))
        problems += self.document.undeployable
        problems += self.document.located(undeployable_problems(self.spec, files))
        if problems:
            raise ConfigError(problems=problems)
        return DesiredApp(
            name=app,
            spec=self.spec,
            files=files,
            notices=(*self.document.warnings, *self.document.remarks),
        )
