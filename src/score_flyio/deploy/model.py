"""What a deploy wants, what it found, and the steps between them. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from score_flyio.base.record import field, frozen
from score_flyio.base.secret import Secret
from score_flyio.flytoml.names import Exposure
from score_flyio.flytoml.spec import AppSpec

if TYPE_CHECKING:
    from fly_machines import models
    from score_flyio.errors import Problem
    from score_flyio.state.deployments import Release, SecretRecord


def host_name(text: str) -> str:
    """A host name in the one form that all its spellings have: case says nothing in it."""
    return text.lower().removesuffix(".")


class FileSource(Protocol):
    """Gives the bytes of the local files that an app refers to."""

    def read(self, path: str) -> bytes: ...


@frozen(kw_only=True)
class DesiredApp:
    """One app as it should run."""

    name: str
    org: str = ""
    """The organization that it is made in, where it is not there yet."""
    spec: AppSpec
    image: str = ""
    """What `image = "."` stands for and machines without containers run."""
    images: Mapping[str, str] = field(factory=dict)
    """What the names of further images mean."""
    secrets: Mapping[str, Secret] = field(factory=dict, repr=False)
    workload: str | None = None
    files: FileSource = field(repr=False)
    exposure: Exposure | None = None
    """Who can reach it; None: whoever its services are for."""
    flycast: bool = False
    """Whether others reach it at a private address, which leads through the proxy."""
    hostnames: tuple[str, ...] = ()
    """Host names of people's own that lead to the app: each needs a certificate."""
    side_files: Mapping[str, bytes] = field(factory=dict, repr=False)
    """Files to write beside the fly.toml, by path relative to the working directory."""
    notices: tuple[Problem, ...] = ()
    """What a person should know of it."""

    @property
    def label(self) -> str:
        """The workload's name, or the app's where there is no Score workload."""
        return self.workload or self.name


@frozen(kw_only=True)
class OwnCertificate:
    """A certificate that somebody brings along, in PEM form."""

    fullchain: str
    """The certificate and those above it."""
    private_key: Secret = field(repr=False)
    """Of the certificate."""


@frozen(kw_only=True)
class KnownApp:
    """What the project state remembers of an app."""

    secrets: Mapping[str, SecretRecord] = field(factory=dict)
    salt: str = ""
    releases: tuple[Release, ...] = ()


@frozen(kw_only=True)
class ObservedApp:
    """One app as Fly shows it: a fresh read."""

    name: str
    """Of the app."""
    app: models.App | None = None
    """None: there is no such app."""
    machines: tuple[models.Machine, ...] = ()
    """Living machines of the app's process groups, sorted by id."""
    others: tuple[models.Machine, ...] = ()
    """Living machines that belong to no process group: of other owners, consoles, builders."""
    leftovers: tuple[models.Machine, ...] = ()
    """Release command machines that an earlier run left behind."""
    volumes: tuple[models.Volume, ...] = ()
    """Those that were asked for."""
    addresses: tuple[models.IPAssignment, ...] = ()
    """Those that were asked for."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Name to digest."""
    secret_times: Mapping[str, float] | None = None
    """When each was set last, in seconds since the epoch; None: nobody asked for the secrets."""
    certificates: frozenset[str] = frozenset()
    """Host names that have a certificate, or were asked for one."""

    @property
    def exists(self) -> bool:
        """Whether there is such an app."""
        return self.app is not None


@frozen(kw_only=True)
class Ref:
    """A machine that exists (`machine`), or the one that a step makes (`step`)."""

    machine: str | None = None
    step: str | None = None
    label: str = field(default="the new machine", eq=False)
    """How a machine that has no id yet is called."""

    def __str__(self) -> str:
        return f"machine {self.machine}" if self.machine else self.label


@frozen(kw_only=True)
class Undo:
    """When a failed run takes a machine away again that it made."""

    reason: str
    unless_done: tuple[str, ...] = ()
    """Steps that make it stay, all of them done."""
    if_failed: tuple[str, ...] = ()
    """Where steps are named: it goes only when one of them failed."""
