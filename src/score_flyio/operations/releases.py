"""What was deployed when: what the project remembers, and what the machines show."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import frozen

from score_flyio.clock import rfc3339
from score_flyio.deploy.metadata import RELEASE_VERSION
from score_flyio.deploy.model import ObservedApp
from score_flyio.fly.present import metadata
from score_flyio.operations.apps import AppRef
from score_flyio.state.deployments import DeploymentRecord


@frozen(kw_only=True)
class ReleaseStatus:
    """One release of an app."""

    version: int
    at: float | None = None
    """Seconds since the epoch; None: only the machines know of it."""
    image: str = ""
    groups: tuple[str, ...] = ()
    """The groups that it changed."""
    machines: int = 0
    """How many machines run it now."""

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {
            "version": self.version,
            "at": None if self.at is None else rfc3339(self.at),
            "image": self.image or None,
            "groups": list(self.groups),
            "machines": self.machines,
            "remembered": self.at is not None,
        }


@frozen(kw_only=True)
class AppReleases:
    """The releases of an app, newest first."""

    ref: AppRef
    releases: tuple[ReleaseStatus, ...]

    def to_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {
            "app": self.ref.app,
            "workload": self.ref.workload,
            "releases": [release.to_json() for release in self.releases],
        }


def list_releases(ref: AppRef, observed: ObservedApp, known: DeploymentRecord) -> AppReleases:
    """From both sources."""
    versions = [metadata(machine).get(RELEASE_VERSION, "") for machine in observed.machines]
    running = Counter(int(version) for version in versions if version.isdigit())
    images = {
        int(version): (machine.config.image if machine.config else None) or ""
        for machine in observed.machines
        if (version := metadata(machine).get(RELEASE_VERSION, "")).isdigit()
    }
    found = {
        version: ReleaseStatus(version=version, image=images.get(version, ""), machines=count)
        for version, count in running.items()
    }
    found |= {
        release.version: ReleaseStatus(
            version=release.version,
            at=release.at,
            image=release.image,
            groups=tuple(sorted(release.configs)),
            machines=running.get(release.version, 0),
        )
        for release in known.releases
    }
    return AppReleases(
        ref=ref, releases=tuple(found[version] for version in sorted(found, reverse=True))
    )
