"""What a project knows between two runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from score_flyio.base.document import Document
from score_flyio.base.record import define, field, frozen

if TYPE_CHECKING:
    from score_flyio.score.resources import JsonObject, ResourceUid
    from score_flyio.state.deployments import DeploymentRecord
    from score_flyio.state.resources import ProvisionerDefinition, ResourceRecord

FLY = "fly"
"""The target that a project's own state belongs to."""
PREFIX_KEY = "score-flyio-app-prefix"
"""Where provisioners find the app prefix in the shared state, as in the Go score-flyio."""


@frozen(kw_only=True)
class WorkloadRecord:
    """A workload as it was last loaded."""

    spec: JsonObject
    """The Score document after overrides; placeholders untouched."""
    file: str | None = None
    """Its Score file as it was typed."""


@frozen(kw_only=True)
class Place(Document):
    """Where at Fly the apps of a state are."""

    address: str
    """Of the Machines API."""
    organization: str | None = None
    """Its slug; None: not known yet."""


@define(kw_only=True)
class ProjectState:
    """The whole state of a project. Runs change it in place and save it through a store."""

    app_prefix: str = ""
    """How the names of all apps start."""
    workloads: dict[str, WorkloadRecord] = field(factory=dict)
    """By name."""
    resources: dict[ResourceUid, ResourceRecord] = field(factory=dict)
    """By uid."""
    shared: JsonObject = field(factory=dict, repr=False)
    """State that all provisioners share."""
    provisioners: tuple[ProvisionerDefinition, ...] = ()
    """In matching order."""
    default_provisioners: bool = True
    """Whether those that come with score-flyio serve what no other does."""
    overridden: dict[str, str] = field(factory=dict)
    """Workloads that were read with overrides → what tells their files from changed ones."""
    deployments: dict[str, DeploymentRecord] = field(factory=dict)
    """By app name."""
    uses_shared: dict[str, bool] = field(factory=dict)
    """Provisioner id → whether it has ever answered with a change of the shared state."""
    needs: dict[ResourceUid, frozenset[ResourceUid]] = field(factory=dict)
    """What each resource needed when it was made, and these; files may not say so any more."""
    salt: str = field(factory=lambda: os.urandom(16).hex(), repr=False)
    """Key of the fingerprints of secrets."""
    place: Place | None = None
    """None: nothing was deployed yet."""
    target: str = FLY
    """What it belongs to: `fly`, `emulator`, or an address; where it is kept tells that."""
    written: dict[str, tuple[WorkloadRecord | ResourceRecord | DeploymentRecord, str]] = field(
        factory=dict, init=False, eq=False, repr=False
    )
    """Records with the texts last written of them: a run saves often, and changes few of them."""

    @classmethod
    def new(cls, app_prefix: str) -> ProjectState:
        """The state of a project that just begins."""
        return cls(app_prefix=app_prefix, shared={PREFIX_KEY: app_prefix})

    @property
    def documents(self) -> dict[str, JsonObject]:
        """The Score documents of all workloads, by name."""
        return {name: record.spec for name, record in self.workloads.items()}

    def app_name(self, workload: str) -> str:
        """The Fly app of a workload."""
        return f"{self.app_prefix}{workload}"

    def workload_of(self, app: str) -> str | None:
        """The workload of a Fly app; None: it is none of the project's."""
        name = app.removeprefix(self.app_prefix)
        return name if name in self.workloads and self.app_name(name) == app else None

    def users(self, uid: ResourceUid) -> tuple[str, ...]:
        """The workloads whose documents ask for a resource, sorted."""
        from score_flyio.score.resources import definitions

        return tuple(
            dict.fromkeys(item.workload for item in definitions(self.documents) if item.uid == uid)
        )
