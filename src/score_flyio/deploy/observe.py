"""Reads one app as it is now: all of it at once, with as few calls as the plan needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import anyio

from fly_machines import models
from score_flyio.base.counted import counted
from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.condition import host_answers
from score_flyio.deploy.metadata import is_own, is_release_machine
from score_flyio.deploy.model import ObservedApp, host_name
from score_flyio.errors import FlyError, InvalidRequest, NotAuthorized, NotFound
from score_flyio.errors.unwrap import at_once
from score_flyio.fly.client import FlyClient
from score_flyio.fly.organization import Apps
from score_flyio.fly.present import living
from score_flyio.fly.volumes import once_deleted_are_gone

T = TypeVar("T")

BELOW_NOTHING = (InvalidRequest, NotAuthorized)
SHORT_LIST_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between readings of a machine list that has fewer machines than the app counts."""


@frozen(kw_only=True)
class Wanted:
    """Which parts of an app are read, beside its record and its machines."""

    volumes: bool = False
    """Its volumes."""
    addresses: bool = False
    """Its addresses."""
    secrets: bool = False
    """Names and digests of its secrets."""
    certificates: bool = False
    """The host names that have certificates."""


@define
class _Reading:
    """What the calls about one app have answered so far."""

    client: FlyClient
    name: str
    app: models.App | None = None
    missing: bool = False
    """Whether the platform said that there is no such app."""
    unlisted: bool = False
    """Whether it said so when it was asked for the machines."""
    machines: list[models.Machine] = field(factory=list)
    volumes: list[models.Volume] = field(factory=list)
    addresses: list[models.IPAssignment] = field(factory=list)
    secrets: dict[str, str] = field(factory=dict)
    """Digest by name."""
    secret_times: dict[str, float] | None = None
    certificates: set[str] = field(factory=set)

    async def read_app(self) -> None:
        self.app = await _or_none(self.client.api.apps_show(self.name))
        self.missing = self.app is None

    async def look_up_app(self, apps: Apps) -> None:
        self.app = await apps.get(self.name)

    async def read_machines(self, apps: Apps | None = None) -> None:
        """The list of an app is not asked for where the `apps` tell that it has none."""
        if apps is not None and await apps.has_no_machines(self.name):
            return
        found = await _or_none(self.client.api.machines_list(self.name))
        self.unlisted = found is None
        self.machines = found or []
        unsure = [m for m in self.machines if m.image_ref is None and living(m) and is_own(m)]
        again = {m.id: m for m in await at_once(self._once_more, unsure)}
        self.machines = [again.get(machine.id, machine) for machine in self.machines]

    async def _once_more(self, machine: models.Machine) -> models.Machine:
        """Reads one again: a list may lack what image it runs (flyctl)."""
        return await _or_none(self.client.api.machines_show(self.name, machine.id or "")) or machine

    async def read_volumes(self) -> None:
        self.volumes = await _or_none(self.client.api.volumes_list(self.name)) or []

    async def read_addresses(self) -> None:
        answer = await _or_none(self.client.api.app_ip_assignments_list(self.name))
        self.addresses = (answer.ips if answer else None) or []

    async def read_secrets(self) -> None:
        self.secret_times = {}
        answer = await _or_none(self.client.api.secrets_list(self.name))
        for secret in (answer.secrets if answer else None) or []:
            name = secret.name or ""
            self.secrets[name] = secret.digest or ""
            self.secret_times[name] = _seconds(secret.updated_at or secret.created_at)

    async def read_certificates(self) -> None:
        read_page = self.client.api.app_certificates_list
        before, cursor = None, ""
        while cursor != before:
            before = cursor
            answer = await _or_none(read_page(self.name, cursor=cursor or None, limit=500))
            found = (answer.certificates if answer else None) or []
            self.certificates.update(host_name(each.hostname or "") for each in found)
            cursor = (answer.next_cursor if answer else None) or cursor

    async def complete(self) -> None:
        """Does not believe a list that lacks machines: a region that does not answer is not empty.

        Both are read again, for somebody may have made or destroyed machines in between.
        """
        for pause in SHORT_LIST_PAUSES:
            if len(self.machines) >= self._count:
                return
            await anyio.sleep(pause)
            await self.read_app()
            await self.read_machines()
        here = {machine.id for machine in self.machines}
        everything = await self.client.api.machines_list(self.name, include_deleted=True)
        others = [machine for machine in everything if machine.id not in here]
        await self.read_app()  # last, so that none went since that it still counts
        # Those that are gone for long explain nothing: they may be of other regions.
        going = sum(machine.state != "destroyed" for machine in others)
        if len(self.machines) + going >= self._count and not any(map(living, others)):
            return
        regions = ", ".join(sorted({machine.region or "" for machine in self.machines}))
        shown = f"only {len(self.machines)}, in {regions}" if self.machines else "none"
        raise FlyError(
            f"app {self.name} counts {counted(self._count, 'machine')}, but the list of its "
            f"machines has {shown}",
            hint="the platform may have an incident: nothing was changed; "
            "run the command again later",
        )

    @property
    def _count(self) -> int:
        return (self.app.machine_count if self.app else None) or 0

    def observed(self) -> ObservedApp:
        alive = sorted((m for m in self.machines if living(m)), key=lambda m: m.id or "")
        return ObservedApp(
            name=self.name,
            app=self.app,
            machines=tuple(m for m in alive if is_own(m)),
            leftovers=tuple(m for m in alive if is_release_machine(m)),
            others=tuple(m for m in alive if not is_own(m) and not is_release_machine(m)),
            volumes=tuple(self.volumes),
            addresses=tuple(self.addresses),
            secrets=self.secrets,
            secret_times=self.secret_times,
            certificates=frozenset(self.certificates),
        )


async def observe_app(
    client: FlyClient,
    name: str,
    wanted: Wanted,
    apps: Apps | None = None,
    *,
    may_be_new: bool = False,
) -> ObservedApp:
    """A fresh reading; an app that does not exist gives an empty one. One of many is in `apps`.

    They tell that an app that `may_be_new` has no machines: its own list is not asked for then.

    Raises FlyError: the platform could not be read, or shows fewer machines than the app counts (an
    incident once made deployers create everything a second time).
    """
    reading = _Reading(client, name)
    reads: list[Callable[[], Awaitable[None]]] = [
        reading.read_app if apps is None else partial(reading.look_up_app, apps),
        partial(reading.read_machines, apps if may_be_new else None),
    ]
    reads += [reading.read_volumes] if wanted.volumes else []
    reads += [reading.read_addresses] if wanted.addresses else []
    reads += [reading.read_secrets] if wanted.secrets else []
    reads += [reading.read_certificates] if wanted.certificates else []
    failures = await _all(reads)
    if apps is not None and reading.app is None:
        reading.missing = reading.unlisted
        failures += [] if reading.missing else await _all([reading.read_app])
    if reading.missing:  # what lies below a missing app is answered with 400, 401 or 403, too
        failures = [each for each in failures if not isinstance(each, BELOW_NOTHING)]
    if failures:
        raise failures[0]
    await reading.complete()
    if not (wanted.volumes or all(map(host_answers, reading.machines))):
        await reading.read_volumes()  # of a machine on a lost host, nothing else tells
    reading.volumes = await once_deleted_are_gone(
        client.api, name, reading.volumes, reading.machines
    )
    return reading.observed()


async def _all(reads: list[Callable[[], Awaitable[None]]]) -> list[FlyError]:
    """Reads everything at the same time; gives what went wrong."""
    failures: list[FlyError] = []

    async def guarded(read: Callable[[], Awaitable[None]]) -> None:
        try:
            await read()
        except FlyError as error:
            failures.append(error)

    await at_once(guarded, reads)
    return failures


async def with_secrets(client: FlyClient, observed: ObservedApp) -> ObservedApp:
    """The app with its secrets, where nobody asked for them before."""
    if observed.secret_times is not None:
        return observed
    reading = _Reading(client, observed.name)
    await reading.read_secrets()
    return evolve(observed, secrets=reading.secrets, secret_times=reading.secret_times)


def _seconds(stamp: str | None) -> float:
    """A time of the platform in seconds since the epoch; 0 where it tells none."""
    try:
        return datetime.fromisoformat(stamp or "").timestamp()
    except ValueError:
        return 0.0


async def _or_none(call: Awaitable[T]) -> T | None:
    try:
        return await call
    except NotFound:
        return None
