"""What can be deployed: a Score workload, or a fly.toml written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from attrs import evolve, field, frozen

from score_flyio.base.secret import Secret
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.deploy.model import FileSource
from score_flyio.deploy.options import DeployOptions
from score_flyio.errors import ConfigError, ImageError
from score_flyio.flytoml.document import FlyTomlDocument
from score_flyio.flytoml.load import find_fly_toml, read_document
from score_flyio.flytoml.spec import AppSpec
from score_flyio.score.load import LoadedWorkload
from score_flyio.score.resources import Outputs

if TYPE_CHECKING:
    from score_flyio.convert import Conversion


HOSTNAME_TYPES = frozenset({"dns", "route"})
"""Types of resources whose output `host` is a name under which a workload is reached."""
PLATFORM_NAMES = (".fly.dev", ".internal", ".flycast")
"""Ends of names that Fly serves by itself."""


@frozen(kw_only=True)
class Prepared:
    """An app as it should run, once everything about it is known."""

    spec: AppSpec
    secrets: Mapping[str, Secret] = field(factory=dict, repr=False)
    files: FileSource = field(repr=False)
    side_files: Mapping[str, bytes] = field(factory=dict, repr=False)
    """Files to write beside the fly.toml, by path relative to the working directory."""
    hostnames: tuple[str, ...] = ()
    """Host names of people's own that lead to the app."""
    warnings: tuple[str, ...] = ()


class Deployable(Protocol):
    """One app of a run."""

    @property
    def app(self) -> str:
        """Name of the Fly app."""
        ...

    @property
    def workload(self) -> str | None:
        """Name of the Score workload, if it is one."""
        ...

    def draft(self) -> AppSpec:
        """What is known before any resource is provisioned: services, mounts, groups."""
        ...

    def secret_names(self) -> tuple[str, ...]:
        """The secrets that the app will have, as far as they are known beforehand."""
        ...

    def has_hostnames(self) -> bool:
        """Whether host names of people's own may lead to the app."""
        ...

    def prepare(self, outputs: Mapping[str, Outputs]) -> Prepared:
        """All of it; `outputs` by the resource's name in the workload."""
        ...

    def preview(self, outputs: Mapping[str, Outputs]) -> Prepared:
        """All that is known with these outputs; missing ones show as known later."""
        ...


@frozen(kw_only=True)
class FlyTomlApp:
    """A fly.toml that somebody wrote, deployed as it is."""

    app: str
    document: FlyTomlDocument = field(repr=False)
    spec: AppSpec
    directory: Path
    """The working directory: local files are relative to it, as for flyctl."""
    workload: str | None = None

    @classmethod
    def load(cls, file: str | None, directory: Path, *, app: str | None = None) -> FlyTomlApp:
        """Reads and validates; `app` replaces the name in the file.

        Raises:
            ConfigError: with all problems of the file.
        """
        path = find_fly_toml(directory / file if file else None, directory=directory)
        document = read_document(path)
        if document.spec is None or document.problems:
            raise ConfigError(problems=document.problems)
        name = app or document.spec.app
        if not name:
            raise ConfigError(
                f"{path.name}: app: there is no app name", hint="add `app = …`, or give --app NAME"
            )
        return cls(
            app=name, document=document, spec=evolve(document.spec, app=name), directory=directory
        )

    def draft(self) -> AppSpec:
        return self.spec

    def secret_names(self) -> tuple[str, ...]:
        return ()

    def has_hostnames(self) -> bool:
        return False

    def preview(self, outputs: Mapping[str, Outputs]) -> Prepared:
        return self.prepare(outputs)

    def prepare(self, outputs: Mapping[str, Outputs]) -> Prepared:  # noqa: ARG002
        warnings = tuple(map(str, (*self.document.warnings, *self.document.unused)))
        return Prepared(spec=self.spec, files=LocalFiles(self.directory), warnings=warnings)


@frozen(kw_only=True)
class ScoreApp:
    """A Score workload and the app it becomes."""

    app: str
    loaded: LoadedWorkload
    directory: Path

    @property
    def workload(self) -> str:
        return self.loaded.workload.name

    def draft(self) -> AppSpec:
        return self.preview({}).spec

    def secret_names(self) -> tuple[str, ...]:
        """Which names become secrets is known only with the outputs: any may."""
        return ("*",) if self.loaded.workload.resources else ()

    def has_hostnames(self) -> bool:
        """Whether the workload asks for a name of its own."""
        return any(r.type in HOSTNAME_TYPES for r in self.loaded.workload.resources.values())

    def prepare(self, outputs: Mapping[str, Outputs]) -> Prepared:
        return self._convert(outputs, known_later=False)

    def preview(self, outputs: Mapping[str, Outputs]) -> Prepared:
        """As far as it is known without provisioning: for plans."""
        return self._convert(outputs, known_later=True)

    def _convert(self, outputs: Mapping[str, Outputs], *, known_later: bool) -> Prepared:
        from score_flyio.convert import convert

        conversion = convert(
            self.loaded,
            app_name=self.app,
            outputs=outputs,
            read_file=lambda path: (self.directory / path).read_bytes(),
            known_later=known_later,
        )
        found = _prepared(conversion, self.directory)
        return evolve(found, hostnames=self._hostnames(outputs))

    def _hostnames(self, outputs: Mapping[str, Outputs]) -> tuple[str, ...]:
        """What resources of types for names call `host`, but for Fly's own names."""
        hosts = {
            outputs[name].values.get("host")
            for name, resource in self.loaded.workload.resources.items()
            if resource.type in HOSTNAME_TYPES and name in outputs
        }
        found = {host for host in hosts if isinstance(host, str) and "." in host}
        return tuple(sorted(host for host in found if not host.endswith(PLATFORM_NAMES)))


@frozen(kw_only=True)
class ConvertedApp:
    """A Score workload whose resources are there and that was converted already."""

    app: str
    workload: str
    conversion: Conversion = field(repr=False)
    directory: Path

    def draft(self) -> AppSpec:
        return self.conversion.spec

    def secret_names(self) -> tuple[str, ...]:
        return tuple(self.conversion.secrets)

    def has_hostnames(self) -> bool:
        return False

    def prepare(self, outputs: Mapping[str, Outputs]) -> Prepared:  # noqa: ARG002  # a protocol
        return _prepared(self.conversion, self.directory)

    def preview(self, outputs: Mapping[str, Outputs]) -> Prepared:
        return self.prepare(outputs)


Input: TypeAlias = LoadedWorkload | FlyTomlApp | ConvertedApp
"""What can be deployed: a loaded Score workload, a converted one, or a fly.toml."""


def _prepared(conversion: Conversion, directory: Path) -> Prepared:
    return Prepared(
        spec=conversion.spec,
        secrets=conversion.secrets,
        files=WithSideFiles(conversion.side_files, LocalFiles(directory)),
        side_files=conversion.side_files,
        warnings=tuple(str(notice) for notice in conversion.notices),
    )


@frozen
class WithSideFiles:
    """Local files, with those that a conversion wrote beside the fly.toml."""

    made: Mapping[str, bytes] = field(repr=False)
    others: FileSource

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError."""
        return self.made[path] if path in self.made else self.others.read(path)


def with_options(spec: AppSpec, options: DeployOptions) -> AppSpec:
    """The app with what the command line adds to it."""
    changes: dict[str, Any] = {}
    if options.region:
        changes["primary_region"] = options.region
    if options.env:
        changes["env"] = {**spec.env, **options.env}
    return evolve(spec, **changes) if changes else spec


def image_of(deployable: Deployable, spec: AppSpec, options: DeployOptions) -> str:
    """The image that the machines of the app run.

    Raises:
        ImageError: the image would have to be built first.
    """
    if options.image:
        return options.image
    if spec.build is not None and spec.build.image:
        return spec.build.image
    if not needs_image(spec):
        return ""
    name = deployable.workload or deployable.app
    raise ImageError(
        f"{name}: there is no image: it would have to be built from a Dockerfile",
        hint="build and push it, then give it with --image REF",
        code="image_missing",
    )


def needs_image(spec: AppSpec) -> bool:
    """Whether any container runs the image of the app: not when all bring their own."""
    inline = (spec.experimental.machine_config if spec.experimental else "") or spec.machine_config
    return not (inline.lstrip().startswith("{") and '"containers"' in inline) or bool(
        spec.container
    )


def unique_apps(deployables: Sequence[Deployable]) -> None:
    """Raises ConfigError when two of them are one app."""
    seen: dict[str, Deployable] = {}
    for item in deployables:
        if item.app in seen:
            raise ConfigError(
                f"app {item.app} would be deployed twice in one run",
                hint="give the workloads different names, or deploy them one after another",
            )
        seen[item.app] = item
