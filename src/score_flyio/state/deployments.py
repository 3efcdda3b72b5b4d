"""What a project remembers of its apps at Fly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from score_flyio.base.record import field, frozen


@frozen(kw_only=True)
class SecretRecord:
    """What is remembered of a secret that was set at Fly: never its value."""

    digest: str
    """Fly's own digest of the value, as listed after it was set."""
    fingerprint: str
    """A hash of the value, keyed with the project's salt."""


Config: TypeAlias = dict[str, Any]
"""A machine config."""
Source: TypeAlias = Literal["state", "machines", "versions"]


@frozen(kw_only=True)
class Member:
    """Where a machine belonged."""

    group: str
    region: str = ""
    standby: bool = False


@frozen(kw_only=True)
class Release:
    """One release of an app: being made, as its machines carry it, or as it is remembered."""

    version: int
    at: float | None = None
    """When the machines got it, in seconds since the epoch."""
    image: str = ""
    """With its digest, where that is known."""
    configs: Mapping[str, Config | None] = field(factory=dict)
    """By the process groups that it changed; None: what it made of the group is not known."""
    members: Mapping[str, Member] = field(factory=dict)
    """Where it changed which groups there are: the machines before it, by id."""
    all_groups: tuple[str, ...] = ()
    """The groups of the app; empty: only those that it changed are known."""
    sources: tuple[Source, ...] = ()
    """Who knows of it: the project state, the machines, the platform's lists of their versions.

    In a state: where it was found; none for what a run of the project made, and saw the end of.
    """
    id: str = ""
    tool_version: str = ""
    """What makes it."""
    back_to: int | None = None
    """The earlier release that it brings back."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The process groups that it changed."""
        return tuple(sorted(self.configs))


@frozen(kw_only=True)
class DeploymentRecord:
    """What is remembered of one app at Fly."""

    workload: str | None = None
    secrets: Mapping[str, SecretRecord] = field(factory=dict)
    releases: tuple[Release, ...] = ()
    """Oldest first."""
    leaving: Mapping[str, Member] = field(factory=dict)
    """Machines of groups that a run set out to remove, by id, until its release is remembered.

    Of a run that is killed when they are gone, nothing else tells that they were there.
    """
