"""Keeps in the project state what a deploy must not forget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, evolve

from score_flyio.deploy.model import KnownApp
from score_flyio.events import Event, StateSaved
from score_flyio.state.deployments import DeploymentRecord, Release, SecretRecord
from score_flyio.state.model import ProjectState
from score_flyio.state.saving import Saver
from score_flyio.state.store import StateStore

RELEASES_KEPT = 25
"""Releases that are remembered for each app, the newest."""


@define(kw_only=True)
class StateRecorder:
    """Writes each fact to the store at once; the `Recorder` of the deploy steps."""

    state: ProjectState
    store: StateStore
    saver: Saver
    emit: Callable[[Event], None]

    def known(self, app: str) -> KnownApp:
        """What is remembered of an app."""
        record = self.of(app)
        return KnownApp(
            secrets=record.secrets,
            salt=self.state.salt,
            launches_done=frozenset(record.launches_done),
            releases=record.releases,
        )

    async def secrets_set(self, app: str, records: Mapping[str, SecretRecord]) -> None:
        record = self.of(app)
        await self._keep(app, evolve(record, secrets={**record.secrets, **records}))

    async def launched(self, app: str, launches: tuple[str, ...]) -> None:
        record = self.of(app)
        done = tuple(dict.fromkeys((*record.launches_done, *launches)))
        await self._keep(app, evolve(record, launches_done=done))

    async def released(self, app: str, release: Release) -> None:
        """Remembers a release, for `releases` and `rollback`."""
        record = self.of(app)
        earlier = (other for other in record.releases if other.version < release.version)
        releases = (*earlier, release)[-RELEASES_KEPT:]
        await self._keep(app, evolve(record, releases=releases))

    async def found(self, app: str, releases: Sequence[Release]) -> None:
        """Takes over releases found at Fly that are older than all that the state knows.

        It knows none where it was lost, or where others deployed until now.
        """
        record = self.of(app)
        first = min((release.version for release in record.releases), default=None)
        older = [one for one in releases if first is None or one.version < first]
        room = RELEASES_KEPT - len(record.releases)
        if older and room > 0:
            await self._keep(app, evolve(record, releases=(*older[-room:], *record.releases)))

    def of(self, app: str) -> DeploymentRecord:
        """All that is remembered of an app; empty where nothing is."""
        found = self.state.deployments.get(app)
        names = (name for name in self.state.workloads if self.state.app_name(name) == app)
        return found or DeploymentRecord(workload=next(names, None))

    async def _keep(self, app: str, record: DeploymentRecord) -> None:
        self.state.deployments[app] = record
        await self.saver.save()
        self.emit(StateSaved())
