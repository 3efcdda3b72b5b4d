"""What a project knows between two runs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import define, field, frozen

from score_flyio.record import Record
from score_flyio.resources.model import JsonObject, ProvisionerDefinition, ResourceUid
from score_flyio.resources.prime import definitions

PREFIX_KEY = "score-flyio-app-prefix"
"""Where provisioners find the app prefix in the shared state, as in the Go score-flyio."""


@frozen(kw_only=True, eq=False, repr=False)
class WorkloadRecord(Record):
    """A workload as it was last loaded."""

    spec: JsonObject
    """The Score document after overrides; placeholders untouched."""
    file: str | None = None
    """Its Score file as it was typed."""


@frozen(kw_only=True, eq=False, repr=False)
class ResourceRecord(Record):
    """A resource that some workload asked for at some time."""

    uid: ResourceUid
    guid: str
    """Random; what provisioners know the resource by."""
    metadata: JsonObject | None = None
    params: JsonObject | None = field(default=None, repr=False)
    """After substitution once provisioned, but never with the value of a secret in it."""
    source_workload: str = ""
    """The workload whose definition counts; empty: none uses it any more."""
    provisioner: str = ""
    """Id of the provisioner that made it; empty: never provisioned."""
    state: JsonObject = field(factory=dict, repr=False)
    """Private notes of the provisioner."""
    outputs: JsonObject = field(factory=dict)
    """Values only, never secrets."""

    @property
    def provisioned(self) -> bool:
        return bool(self.provisioner)


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


def new_salt() -> str:
    """A fresh key for the fingerprints of secrets."""
    return os.urandom(16).hex()


@define(kw_only=True, eq=False, repr=False)
class ProjectState(Record):
    """The whole state of a project. Runs change it in place and save it through a store."""

    app_prefix: str = ""
    workloads: dict[str, WorkloadRecord] = field(factory=dict)
    resources: dict[ResourceUid, ResourceRecord] = field(factory=dict)
    shared: JsonObject = field(factory=dict, repr=False)
    """State that all provisioners share."""
    provisioners: tuple[ProvisionerDefinition, ...] = ()
    """In matching order."""
    deployments: dict[str, DeploymentRecord] = field(factory=dict)
    """By app name."""
    uses_shared: dict[str, bool] = field(factory=dict)
    """Provisioner id → whether it has ever answered with a change of the shared state."""
    salt: str = field(factory=new_salt, repr=False)

    @classmethod
    def new(cls, app_prefix: str) -> ProjectState:
        """The state of a project that just begins."""
        return cls(app_prefix=app_prefix, shared={PREFIX_KEY: app_prefix})

    def app_name(self, workload: str) -> str:
        """The Fly app of a workload."""
        return f"{self.app_prefix}{workload}"

    def users(self, uid: ResourceUid) -> tuple[str, ...]:
        """The workloads whose documents ask for a resource, sorted."""
        documents = {name: record.spec for name, record in self.workloads.items()}
        return tuple(
            dict.fromkeys(item.workload for item in definitions(documents) if item.uid == uid)
        )
