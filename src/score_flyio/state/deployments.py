"""What a project remembers of its apps at Fly."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from score_flyio.base.record import Record
from score_flyio.score.resources import JsonObject


@frozen(kw_only=True, eq=False, repr=False)
class SecretRecord(Record):
    """What is remembered of a secret that was set at Fly: never its value."""

    digest: str
    """Fly's own digest of the value, as listed after it was set."""
    fingerprint: str
    """A hash of the value, keyed with the project's salt."""


@frozen(kw_only=True, eq=False, repr=False)
class ReleaseRecord(Record):
    """One deploy of an app, with all that a rollback needs."""

    version: int
    at: float
    """Seconds since the epoch."""
    image: str = ""
    """With its digest, where that is known."""
    configs: Mapping[str, JsonObject] = field(factory=dict)
    """Machine config by process group."""
    outcome: str = "done"


@frozen(kw_only=True, eq=False, repr=False)
class DeploymentRecord(Record):
    """What is remembered of one app at Fly."""

    workload: str | None = None
    secrets: Mapping[str, SecretRecord] = field(factory=dict)
    launches_done: tuple[str, ...] = ()
    """Ids of launches that ended and need not be repeated."""
    releases: tuple[ReleaseRecord, ...] = ()
    """Oldest first."""
