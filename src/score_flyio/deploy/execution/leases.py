"""Holds the machines of an app for as long as the run needs each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import anyio
import anyio.abc
from attrs import Factory, define, field

from score_flyio.errors import DeployError, FlyError, NotFound, ScoreFlyError
from score_flyio.events import Event
from score_flyio.fly.client import FlyClient
from score_flyio.fly.leases import HeldLease, hold_lease


@define(eq=False, kw_only=True)
class _Hold:
    machine: str
    ready: anyio.Event = field(factory=anyio.Event)
    release: anyio.Event = field(factory=anyio.Event)
    lease: HeldLease | None = None
    failure: ScoreFlyError | None = None


@define(kw_only=True)
class LeaseBook:
    """Leases by machine; each is held by a task of its own in `tasks`."""

    client: FlyClient
    app: str
    tasks: anyio.abc.TaskGroup
    ttl: float
    wait: float
    """Seconds to wait for a lease that someone else holds."""
    emit: Callable[[Event], None]
    description: str = "score-flyio deploy"
    _holds: dict[str, _Hold] = Factory(dict)

    async def hold(self, machines: Iterable[str]) -> None:
        """Takes the leases of all these machines at once: all, or none.

        Raises:
            LeaseHeld: someone else holds one of them; the others are released.
        """
        wanted = [machine for machine in machines if machine not in self._holds]
        for machine in wanted:
            self._holds[machine] = _Hold(machine=machine)
            self.tasks.start_soon(self._host, self._holds[machine])
        failures: list[ScoreFlyError] = []
        for machine in wanted:
            hold = self._holds[machine]
            await hold.ready.wait()
            if hold.failure is not None:
                failures.append(hold.failure)
        if failures:
            for machine in wanted:
                self.release(machine)
            raise failures[0]

    def nonce(self, machine: str) -> str | None:
        """The proof of the lease; None for a machine that is not held.

        Raises:
            LeaseLost: the lease ended while it was needed.
        """
        hold = self._holds.get(machine)
        if hold is not None and hold.failure is not None:
            raise hold.failure
        if hold is None or hold.lease is None:
            return None
        return hold.lease.nonce

    def release(self, machine: str) -> None:
        """Lets go of one machine; the call goes out in the background."""
        hold = self._holds.get(machine)
        if hold is not None:
            hold.release.set()

    def release_all(self) -> None:
        for hold in self._holds.values():
            hold.release.set()

    async def _host(self, hold: _Hold) -> None:
        try:
            async with hold_lease(
                self.client.api,
                self.app,
                hold.machine,
                ttl=self.ttl,
                wait=self.wait,
                description=self.description,
                emit=self.emit,
            ) as lease:
                hold.lease = lease
                hold.ready.set()
                await hold.release.wait()
                hold.lease = None
        except NotFound:
            hold.lease = None
        except (DeployError, FlyError) as error:
            hold.failure = error
        finally:
            hold.ready.set()
