"""What every operation works with: an open client, events, stamps and ids."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from attrs import field, frozen

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.base.ulid import new_ulid
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.step import Step
from score_flyio.engine.deployment import TOOL_VERSION
from score_flyio.engine.target import Target
from score_flyio.events import Event, EventLog, Listener, TargetSelected
from score_flyio.fly.client import FlyClient
from score_flyio.state.deployments import Release, SecretRecord


@frozen(kw_only=True)
class Session:
    """One visit to a target."""

    client: FlyClient
    target: Target
    emit: Callable[[Event], None]
    now: Callable[[], float]
    """Seconds since the epoch."""
    rng: random.Random = field(factory=random.SystemRandom, repr=False)

    def new_id(self) -> str:
        """A new unique text (ULID form)."""
        return new_ulid(self.now(), self.rng)

    def release(self, version: int) -> Release:
        """The release that a change makes."""
        return Release(id=self.new_id(), version=version, tool_version=TOOL_VERSION)

    def plan(self, app: str, label: str, *steps: Step) -> AppPlan:
        """A plan of steps that make no release."""
        return AppPlan(app=app, label=label, steps=steps, release=self.release(0))


@asynccontextmanager
async def open_session(
    target: Target,
    listener: Listener | None = None,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[Session]:
    """A session that is open within the context; its first event says where it goes."""
    clock, rng = clock or SystemClock(), rng or random.SystemRandom()
    log = EventLog(clock.time, *([listener] if listener else []))
    async with target.connect(emit=log.emit, rng=rng) as client:
        log.emit(TargetSelected(target=target.name, emulated=target.emulated))
        yield Session(client=client, target=target, emit=log.emit, now=clock.time, rng=rng)


class NothingToRemember:
    """The `Recorder` of changes that the project state has no part in."""

    async def secrets_set(self, app: str, records: Mapping[str, SecretRecord]) -> None:
        """Forgets them."""

    async def launched(self, app: str, launches: tuple[str, ...]) -> None:
        """Forgets them."""
