"""What was deployed when: what the project state, the machines and the platform know."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

import anyio

from fly_machines import models
from score_flyio.base.clock import rfc3339
from score_flyio.base.document import Document, Documented
from score_flyio.base.record import frozen
from score_flyio.deploy.metadata import group_of, release_number
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.releases.announce import PATIENCE
from score_flyio.deploy.releases.known import ids_of, merged, of_machines, of_state, of_versions
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.session import RELEASES_KEPT, Session
from score_flyio.errors import FlyError, NotFound
from score_flyio.errors.unwrap import at_once
from score_flyio.fly.client import FlyClient
from score_flyio.fly.present import metadata
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import DeploymentRecord, Release


@frozen(kw_only=True)
class ReleaseDocument(Document):
    """One release."""

    version: int
    at: str | None
    """When it was made, in RFC 3339."""
    image: str | None
    groups: tuple[str, ...]
    machines: int
    """How many machines run it now."""
    remembered: bool
    """Whether the project state knows of it."""
    sources: tuple[str, ...]
    """Who knows of it."""


@frozen(kw_only=True)
class AppReleasesDocument(Document):
    """The releases of an app."""

    app: str
    workload: str | None
    releases: tuple[ReleaseDocument, ...]


@frozen(kw_only=True)
class AppReleases(Documented):
    """The releases of an app, newest first."""

    ref: AppRef
    """The app."""
    releases: tuple[Release, ...]
    """Newest first."""
    machines: Mapping[int, int]
    """How many machines run each now, by number."""

    def document(self) -> AppReleasesDocument:
        """For programs."""
        return AppReleasesDocument(
            app=self.ref.app,
            workload=self.ref.workload,
            releases=tuple(
                ReleaseDocument(
                    version=release.version,
                    at=None if release.at is None else rfc3339(release.at),
                    image=release.image or None,
                    groups=tuple(release.groups),
                    machines=self.machines.get(release.version, 0),
                    remembered="state" in release.sources,
                    sources=tuple(release.sources),
                )
                for release in self.releases
            ),
        )


async def list_releases(session: Session, ref: AppRef) -> AppReleases:
    """The releases that anyone knows of, newest first; none of a workload that is not at Fly.

    Raises UsageError for an app that is neither there nor of the project.
    """
    async with session.memory("releases", to_look=True) as recorder:
        observed = await observe_app(session.client, ref.app, Wanted())
        known = recorder.met(ref.app, observed.machines)
    releases = await known_releases(session, observed, known)
    if not (observed.exists or releases or ref.workload):
        await observe(session, ref)  # tells that it is not there
    running = Counter(release_number(metadata(machine)) for machine in observed.machines)
    return AppReleases(ref=ref, releases=releases[::-1], machines=running)


async def known_releases(
    session: Session,
    observed: ObservedApp,
    known: DeploymentRecord,
    *,
    ask_for_versions: bool = True,
) -> tuple[Release, ...]:
    """All releases of an app, oldest first: what the state says counts before what Fly says."""
    lists = await _versions(session, observed) if ask_for_versions else []
    return merged(of_state(known), of_machines(observed.machines), of_versions(lists))


async def _versions(session: Session, observed: ObservedApp) -> list[list[models.MachineVersion]]:
    """Of each group, in each region, what its oldest machine was: others were changed with it."""
    oldest: dict[tuple[str, str], str] = {}
    for machine in sorted(observed.machines, key=lambda m: (m.created_at or "", m.id or "")):
        oldest.setdefault((group_of(machine), machine.region or ""), machine.id or "")

    async def read(machine: str) -> list[models.MachineVersion]:
        try:
            return await session.client.api.machines_list_versions(observed.name, machine)
        except NotFound:  # it went a moment ago
            return []

    return await at_once(read, oldest.values())


async def came_to_an_end(
    client: FlyClient, app: str, releases: Sequence[Release]
) -> Mapping[int, bool]:
    """Whether releases came to their end, by number, as far as Fly was told how they went."""
    if client.releases is None or not releases:
        return {}
    statuses: Mapping[str, str] = {}
    with anyio.move_on_after(PATIENCE):
        with suppress(FlyError):  # a token may see the machines alone
            statuses = await client.releases.statuses(app, RELEASES_KEPT)
    told = {
        number: {statuses[name] for name in ids if name in statuses}
        for number, ids in ids_of(releases).items()
    }
    return {number: "complete" in found for number, found in told.items() if found}


async def released_definition(client: FlyClient, app: str) -> AppSpec | None:
    """The fly.toml of the last release that Fly was told of; None where it is not to be had."""
    if client.releases is None:
        return None
    found = None
    with anyio.move_on_after(PATIENCE):
        try:
            found = await client.releases.definition(app)
        except FlyError:  # a token may see the machines alone
            return None
    return None if found is None else read_fly_toml(json.dumps(found), form="json").spec
