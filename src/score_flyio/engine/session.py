"""What every run and every operation works with: one visit to a target, for one project."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Final

from fly_machines import models
from score_flyio._version import __version__
from score_flyio.base.clock import Clock
from score_flyio.base.record import define, evolve, field
from score_flyio.base.ulid import new_ulid
from score_flyio.deploy.model import KnownApp
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.releases.known import outlived
from score_flyio.deploy.step import Step
from score_flyio.engine.project import Project
from score_flyio.engine.target import Target
from score_flyio.errors import WrongPlace
from score_flyio.events import EventLog, Listener, Scope, StateSaved, TargetSelected, WarningRaised
from score_flyio.fly.client import FlyClient
from score_flyio.fly.organization import PERSONAL, Apps, Organization
from score_flyio.resources.servers.access import FlyAccess, nearest_region, region_variable
from score_flyio.state.deployments import DeploymentRecord, Member, Release, SecretRecord
from score_flyio.state.model import Place, ProjectState
from score_flyio.state.saving import Saver
from score_flyio.state.store import InMemoryStore, StateStore

if TYPE_CHECKING:
    from score_flyio.deploy.execution.report import Report
    from score_flyio.resources.registry import Registry

TOOL_VERSION = f"score-flyio/{__version__}"
"""Written into machines' metadata where flyctl writes its own version."""
MANY: Final = 4
"""From so many apps on they are looked up in one list."""
VERY_MANY: Final = 30
"""From so many on those that are new are told by lists of the organization: it takes one answer
longer to ask for what they do not tell, and making so many apps takes half a minute."""
RELEASES_KEPT = 25
"""Releases that are remembered for each app, the newest."""


@define(kw_only=True)
class StateRecorder:
    """Writes each fact to the store at once; the `Recorder` of the deploy steps."""

    state: ProjectState
    store: StateStore
    emit: Listener
    place: Place | None = None
    """Where the run goes, to be remembered with the first fact; None: nowhere that lasts."""

    @cached_property
    def saver(self) -> Saver:
        return Saver(self.store, self.state)

    def known(self, app: str) -> KnownApp:
        """What plans depend on of an app's past."""
        record = self.of(app)
        return KnownApp(secrets=record.secrets, salt=self.state.salt, releases=record.releases)

    def met(self, app: str, machines: Iterable[models.Machine]) -> DeploymentRecord:
        """What is remembered of an app that has these machines.

        Where somebody destroyed the app and made it anew, the releases before that are forgotten.
        """
        record = self.of(app)
        if outlived(record, machines):
            self.state.deployments[app] = record = evolve(record, releases=(), leaving={})
            message = "the app was destroyed and made anew: its releases before that are forgotten"
            scope = Scope.of_app(app, record.workload or app)
            self.emit(WarningRaised(scope=scope, message=message, code="releases_forgotten"))
        return record

    async def secrets_set(self, app: str, records: Mapping[str, SecretRecord]) -> None:
        record = self.of(app)
        await self._keep(app, evolve(record, secrets={**record.secrets, **records}))

    async def released(self, app: str, release: Release) -> None:
        """Remembers a release, for `releases` and `rollback`."""
        record = self.of(app)
        earlier = (other for other in record.releases if other.version < release.version)
        releases = (*earlier, release)[-RELEASES_KEPT:]
        await self._keep(app, evolve(record, releases=releases, leaving={}))

    async def leaving(self, app: str, members: Mapping[str, Member]) -> None:
        """Remembers machines of groups that are about to be removed, until the release is."""
        record = self.of(app)
        if members != record.leaving:
            await self._keep(app, evolve(record, leaving=members))

    async def none_released(self, app: str, *, whole: bool, groups: tuple[str, ...]) -> None:
        """Remembers that a run had no release to make.

        Where it brought the `whole` app to what its file says, the last one had come to its end,
        which nobody knew of one that was found, nor all `groups` of the app.
        """
        record = self.of(app)
        releases = record.releases
        if whole and releases:
            *before, last = releases
            known = groups if last.sources else last.all_groups
            releases = (*before, evolve(last, sources=(), all_groups=known))
        if record.leaving or releases != record.releases:
            await self._keep(app, evolve(record, releases=releases, leaving={}))

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

    def belongs(self, organization: str | None, *, told: str | None) -> None:
        """Holds the organization of an app against that of the project, and the one that was told.

        That of an app which is there is remembered. Raises WrongPlace.
        """
        place = self.state.place or self.place
        if place is None:
            return
        if organization is not None:
            self.state.place = place = in_organization(place, organization)
        if told is not None:
            in_organization(place, told)

    def of(self, app: str) -> DeploymentRecord:
        """All that is remembered of an app; empty where nothing is."""
        found = self.state.deployments.get(app)
        return found or DeploymentRecord(workload=self.state.workload_of(app))

    async def _keep(self, app: str, record: DeploymentRecord) -> None:
        self.state.place = self.state.place or self.place
        self.state.deployments[app] = record
        await self.saver.save()
        self.emit(StateSaved())


def in_organization(place: Place, organization: str) -> Place:
    """The place, with an organization that was not known before.

    Raises WrongPlace for another one. `personal` stands for whatever the platform calls it.
    """
    known = place.organization
    if known is None or PERSONAL in {known, organization}:
        return evolve(place, organization=known or organization)
    if known != organization:
        raise WrongPlace(
            f"this project's apps belong to organization {known!r}, and this run is about "
            f"{organization!r}",
            hint=f"use a token and --org (or FLY_ORG) of {known!r}, start another project for "
            f"{organization!r}, or state adopt where the apps have moved",
        )
    return place


@define(kw_only=True, eq=False)
class Session:
    """One visit: the open client, events, stamps, ids, the organization and the project state."""

    project: Project
    """Whose apps and state it is about."""
    target: Target
    """Where it goes."""
    client: FlyClient
    """Open as long as the visit."""
    emit: Listener
    """Takes the events."""
    now: Callable[[], float]
    """Seconds since the epoch."""
    rng: random.Random = field(repr=False)
    """Makes ids."""
    so_far: Callable[[], Report | None] = field(default=lambda: None, init=False)
    """How far it came what a cancellation ended; None where nothing was being done."""

    @cached_property
    def organization(self) -> Organization:
        """Of new apps; asked for once in a visit."""
        return Organization(self.client, self.target.org)

    def apps(self, count: int) -> Apps | None:
        """Where so many apps are looked up at once; None where each is better asked for itself."""
        org = self.organization.told
        if not org or count < MANY:
            return None
        return Apps(self.client, org, tells_of_machines=count >= VERY_MANY)

    async def owner(self, app: models.App | None) -> str:
        """The organization that an app belongs to, or will belong to once it is made."""
        found = app.organization.slug if app and app.organization else None
        return found or await self.organization.slug()

    def new_id(self) -> str:
        """A new unique text (ULID form)."""
        return new_ulid(self.now(), self.rng)

    def release(self, version: int) -> Release:
        """The release that a change makes."""
        return Release(id=self.new_id(), version=version, tool_version=TOOL_VERSION)

    def plan(self, app: str, label: str, *steps: Step) -> AppPlan:
        """A plan of steps that make no release."""
        return AppPlan(app=app, label=label, steps=steps, release=self.release(0))

    def tell_target(self) -> None:
        """Tells where the visit goes to."""
        self.emit(TargetSelected(target=self.target.name, emulated=self.target.emulated))

    @property
    def default_region(self) -> str | None:
        """Of what is new, where nobody names one: that of the environment."""
        variable = self.default_region_from
        return self.project.environ[variable] if variable else None

    @property
    def default_region_from(self) -> str | None:
        """The variable that has it."""
        return region_variable(self.project.environ)

    def registry(self, state: ProjectState, *, region: str | None = None) -> Registry:
        """The project's provisioners; those in this process share the client.

        New servers are in the `region` of the run, else in that of the environment, else in the
        nearest to the caller: where the machines of the run's apps are, too.
        """
        access = FlyAccess(
            connect=lambda: nullcontext(self.client),
            region=region or self.default_region,
            nearest=nearest_region,
            organization=lambda _client: self.organization.slug(),
        )
        return self.project.registry(state, access=lambda: access)

    @asynccontextmanager
    async def memory(
        self, owner: str, *, needed: bool = False, to_look: bool = False
    ) -> AsyncIterator[StateRecorder]:
        """The project state under its lock, and what it remembers of apps.

        `owner` tells others who holds the lock. Where no project is `needed`, one without a past is
        made up, and what it is told is forgotten. Where it is only `to_look`, nothing is locked,
        and nothing will be saved. Raises NotInitialised and StateLocked.
        """
        address = self.target.address
        place = None if address is None else Place(address=address)
        if to_look or not needed:
            state = await (self.project.read() if needed else self.project.store.load())
            if state is not None:
                self._check_place(state)
            if state is None or to_look:
                seen, nowhere = state or ProjectState.new(""), InMemoryStore()
                yield StateRecorder(state=seen, store=nowhere, emit=lambda _: None, place=place)
                return
        async with self.project.locked(owner) as state:
            self._check_place(state)
            store = self.project.store
            yield StateRecorder(state=state, store=store, emit=self.emit, place=place)

    def _check_place(self, state: ProjectState) -> None:
        """Holds where the state's apps are against where the visit goes. Raises WrongPlace."""
        address, place = self.target.address, state.place
        if address is None or place is None:
            return
        if place.address != address:
            raise WrongPlace(
                f"this project's apps are at {place.address}, and this run would go to {address}",
                hint=f"give --target {address} to keep what runs there apart, or state adopt "
                "where the apps have moved",
            )
        if self.target.org is not None:
            in_organization(place, self.target.org)


@asynccontextmanager
async def open_session(
    project: Project,
    target: Target,
    log: EventLog,
    *,
    clock: Clock,
    rng: random.Random | None = None,
) -> AsyncIterator[Session]:
    """A session that is open within the context; its events go to `log`."""
    rng = rng or random.SystemRandom()
    async with target.connect(emit=log.emit, rng=rng) as client:
        there = project.at(target.kept_as)
        yield Session(
            project=there, target=target, client=client, emit=log.emit, now=clock.time, rng=rng
        )
