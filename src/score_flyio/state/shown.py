"""What may be shown of a state: no params, no private notes, no shared state, no outputs."""

from __future__ import annotations

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.state.model import Place, ProjectState


@frozen(kw_only=True)
class WorkloadShown(Document):
    """A workload of the project."""

    workload: str
    """Its name."""
    app: str
    """The name of its app."""
    file: str | None
    """Its Score file."""


@frozen(kw_only=True)
class ResourceShown(Document):
    """A resource of the project."""

    uid: str
    """Type, class and id."""
    provisioner: str | None
    """What made it; null: nothing did yet."""
    source_workload: str | None
    """The workload whose definition counts."""
    outputs: tuple[str, ...]
    """The names of those that are kept."""


@frozen(kw_only=True)
class DeploymentShown(Document):
    """What is remembered of an app."""

    app: str
    """Its name."""
    workload: str | None
    """What it runs."""
    secrets: tuple[str, ...]
    """Names."""
    releases: tuple[int, ...]
    """Numbers."""


@frozen(kw_only=True)
class StateShown(Document):
    """The project state."""

    app_prefix: str
    """Start of the names of all apps."""
    target: str
    """Whose state it is."""
    place: Place | None
    """Where the apps are; null: not known yet."""
    workloads: tuple[WorkloadShown, ...]
    resources: tuple[ResourceShown, ...]
    provisioners: tuple[str, ...]
    """Ids, in the order in which they are asked."""
    deployments: tuple[DeploymentShown, ...]
    """What is remembered of apps."""

    @classmethod
    def of(cls, state: ProjectState) -> StateShown:
        """Of a state."""
        return cls(
            app_prefix=state.app_prefix,
            target=state.target,
            place=state.place,
            workloads=workloads_shown(state),
            resources=tuple(
                ResourceShown(
                    uid=str(uid),
                    provisioner=record.provisioner or None,
                    source_workload=record.source_workload or None,
                    outputs=tuple(sorted(record.outputs)),
                )
                for uid, record in sorted(state.resources.items())
            ),
            provisioners=tuple(item.id for item in state.provisioners),
            deployments=tuple(
                DeploymentShown(
                    app=app,
                    workload=record.workload,
                    secrets=tuple(sorted(record.secrets)),
                    releases=tuple(release.version for release in record.releases),
                )
                for app, record in sorted(state.deployments.items())
            ),
        )


def workloads_shown(state: ProjectState) -> tuple[WorkloadShown, ...]:
    """The workloads by name."""
    return tuple(
        WorkloadShown(workload=name, app=state.app_name(name), file=record.file)
        for name, record in sorted(state.workloads.items())
    )
