"""Exclusive holds on machines: taken, kept alive in the background, and always given back.

A lease ends by itself after its TTL, so TTLs are short and leases are renewed well before. The API
answers 409 while someone else holds the lease. (Source: the Machines guide and flyctl.) A thousand
machines may be held at once, so each lease has one task and hardly anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import anyio
import anyio.abc
import anyio.lowlevel
from attrs import Factory, define, field

from fly_machines import FlyMachinesApi, models
from score_flyio.errors import (
    Conflict,
    FlyApiError,
    FlyError,
    FlyProtocolError,
    LeaseHeld,
    LeaseLost,
    NotFound,
    Request,
    ScoreFlyError,
)
from score_flyio.events import Event, LeaseAcquired, LeaseReleased, Scope, WarningRaised
from score_flyio.fly.errors import is_doubtful

RELEASE_SECONDS: Final = 5.0
BETWEEN_TRIES: Final = 1.0
DOUBTS_WITHIN: Final = 60.0
"""Seconds within which answers that leave the outcome unknown are put up with, as flyctl does."""


@define(eq=False, kw_only=True)
class _Lease:
    """The lease of one machine."""

    machine: str
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    """Of its task, until the lease is given back."""
    asking: anyio.CancelScope | None = None
    """Of the call that asks for it, while it is on its way."""
    nonce: str | None = field(default=None, repr=False)
    ends: float = 0.0
    """When it ends unless it is renewed, on the event loop's clock."""
    gone: bool = False
    """The machine is: it needs no lease."""
    failure: ScoreFlyError | None = None
    """Why it could not be taken, or how it was lost."""


@define(kw_only=True)
class LeaseBook:
    """The leases of an app's machines, each kept by a task of its own in `tasks`.

    Call `release_all` before `tasks` are waited for or cancelled.
    """

    api: FlyMachinesApi
    app: str
    tasks: anyio.abc.TaskGroup
    ttl: float
    """Seconds after which a lease ends that is not renewed."""
    wait: float
    """Seconds to wait for a lease that someone else holds."""
    emit: Callable[[Event], None]
    description: str = "score-flyio deploy"
    """Shown to whoever meets a lease."""
    _leases: dict[str, _Lease] = Factory(dict)

    async def hold(self, machines: Iterable[str]) -> None:
        """Takes the leases of all these machines at once: all, or none.

        Raises:
            LeaseHeld: someone else holds one of them; the others are released.
            FlyError: one cannot be asked for.
        """
        new = {m: _Lease(machine=m) for m in machines if m not in self._leases}
        waiting, settled = set(new), anyio.Event()

        def told(lease: _Lease) -> None:
            waiting.discard(lease.machine)
            if lease.failure is not None or not waiting:
                settled.set()

        for machine, lease in new.items():
            self._leases[machine] = lease
            self.tasks.start_soon(self._host, lease, told)
        if new:
            await settled.wait()
        failures = [lease.failure for lease in new.values() if lease.failure is not None]
        if failures:
            for machine in new:
                self.release(machine)
            raise failures[0]

    def nonce(self, machine: str) -> str | None:
        """The proof of the lease, for each change of it; None for a machine that is not held.

        Raises:
            LeaseLost: the lease ended while it was needed.
        """
        lease = self._leases.get(machine)
        if lease is not None and lease.failure is not None:
            raise lease.failure
        return None if lease is None or lease.scope.cancel_called else lease.nonce

    def release(self, machine: str) -> None:
        """Lets go of one machine; the call goes out in the background.

        A lease that is being asked for is waited for a little: only who has it can release it.
        """
        lease = self._leases.get(machine)
        if lease is None:
            return
        lease.scope.cancel()
        if lease.asking is not None:
            lease.asking.deadline = anyio.current_time() + RELEASE_SECONDS

    def release_all(self) -> None:
        """Lets go of all machines."""
        for machine in self._leases:
            self.release(machine)

    async def _host(self, lease: _Lease, told: Callable[[_Lease], None]) -> None:
        try:
            with lease.scope:
                await self._acquire(lease)
                told(lease)
                await self._keep(lease)
        finally:
            told(lease)
            if lease.nonce is not None:
                await self._give_back(lease)

    async def _acquire(self, lease: _Lease) -> None:
        """Ask for the lease until it is there, or someone else's outlasts the time to wait.

        A lost answer may have left a lease of our own whose nonce nobody knows: it ends with its
        TTL, so then a foreign holder is waited for that long.
        """
        patience = self.wait
        start = anyio.current_time()
        doubtful_since: float | None = None
        while (failure := await self._asked(lease)) is not None:
            waited = anyio.current_time() - start
            if isinstance(failure, Conflict):
                doubtful_since = None
                if waited + BETWEEN_TRIES > patience:
                    lease.failure = self._held(lease, failure)
                    return
            elif isinstance(failure, NotFound):
                lease.gone = True
                return
            else:
                doubtful_since = doubtful_since or start + waited
                if not is_doubtful(failure) or start + waited - doubtful_since > DOUBTS_WITHIN:
                    lease.failure = failure
                    return
                patience = max(patience, waited + self._ttl + 2 * BETWEEN_TRIES)
            await anyio.sleep(BETWEEN_TRIES)

    async def _asked(self, lease: _Lease) -> FlyError | None:
        """Ask once, and note what is granted even when the run is cancelled meanwhile."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        failure: FlyError | None = None
        with anyio.CancelScope(shield=True) as lease.asking:
            try:
                await self._ask(lease)
            except FlyError as error:
                failure = error
        lease.asking = None
        await anyio.lowlevel.checkpoint_if_cancelled()
        return failure

    async def _ask(self, lease: _Lease) -> None:
        sent = anyio.current_time()
        granted = _granted(
            await self.api.machines_create_lease(self.app, lease.machine, self._request())
        )
        if granted.nonce is None:
            path = f"/v1/apps/{self.app}/machines/{lease.machine}/lease"
            raise FlyProtocolError(
                f"POST {path}: a lease without a nonce", request=Request(method="POST", path=path)
            )
        lease.nonce, lease.ends = granted.nonce, sent + self._ttl
        self.emit(
            LeaseAcquired(expires_at=float(granted.expires_at or 0), scope=self._scope(lease))
        )

    async def _keep(self, lease: _Lease) -> None:
        """Renew the lease until it is lost or the machine is gone."""
        usual = max(0.25, (self._ttl - 1) / 3)
        pause = usual
        while not lease.gone and lease.failure is None:
            await anyio.sleep(max(0.0, min(pause, lease.ends - anyio.current_time())))
            pause = usual if await self._renewed(lease) else BETWEEN_TRIES
        if lease.failure is None and lease.nonce is not None:
            await anyio.sleep_forever()  # to be given back in its turn

    async def _renewed(self, lease: _Lease) -> bool:
        sent = anyio.current_time()
        failure: FlyError | None = None
        try:
            with anyio.move_on_after(lease.ends - sent):
                answer = await self.api.machines_create_lease(
                    self.app, lease.machine, self._request(), fly_machine_lease_nonce=lease.nonce
                )
                if _granted(answer).nonce in (None, lease.nonce):
                    lease.ends = sent + self._ttl
                    return True
                self._lose(lease, "someone else took it")
        except NotFound as error:
            if "lease" in error.answer.message.lower():
                self._lose(lease, error.answer.message)
            lease.gone = True  # a machine that is deleted needs no lease
        except Conflict as error:
            self._lose(lease, error.answer.message)
        except FlyError as error:
            failure = error
        if anyio.current_time() >= lease.ends:
            self._lose(lease, f"it could not be renewed in time: {failure or 'no answer'}")
        return False

    def _lose(self, lease: _Lease, why: str) -> None:
        if lease.failure is None and not lease.gone:
            lease.failure = LeaseLost(
                f"machine {lease.machine} of app {self.app}: the lease was lost: {why}",
                hint="run the same command again; it goes on from what is there",
            )

    async def _give_back(self, lease: _Lease) -> None:
        """One that has ended already is fine."""
        why: str | None = f"no answer within {RELEASE_SECONDS:g} s"
        with anyio.move_on_after(RELEASE_SECONDS, shield=True):
            why = await self._released(lease)
        if why is not None:
            message = f"the lease could not be released and ends by itself: {why}"
            scope = self._scope(lease)
            self.emit(WarningRaised(message=message, code="lease_not_released", scope=scope))

    async def _released(self, lease: _Lease) -> str | None:
        """Why the lease could not be given back; None where it is over."""
        try:
            await self.api.machines_release_lease(
                self.app, lease.machine, fly_machine_lease_nonce=lease.nonce or ""
            )
        except NotFound:
            return None
        except FlyError as error:
            return str(error)
        self.emit(LeaseReleased(scope=self._scope(lease)))
        return None

    @property
    def _ttl(self) -> int:
        return max(1, round(self.ttl))

    def _request(self) -> models.CreateLeaseRequest:
        return models.CreateLeaseRequest(ttl=self._ttl, description=self.description)

    def _scope(self, lease: _Lease) -> Scope:
        return Scope(app=self.app, machine=lease.machine)

    def _held(self, lease: _Lease, error: FlyApiError) -> LeaseHeld:
        return LeaseHeld(
            f"machine {lease.machine} of app {self.app} is leased: {error.answer.message}",
            hint="another deploy is at work on this app: wait until it has ended, or until the "
            "lease expires, and run the same command again; --lease-wait says how long to wait "
            "for it",
            failures=[error],
        )


def _granted(answer: models.LeaseResponse) -> models.Lease:
    """The lease in its envelope; the published document has it without one."""
    if answer.data is not None:
        return answer.data
    bare = answer.extra
    return models.Lease(
        nonce=bare.get("nonce"), expires_at=bare.get("expires_at"), version=bare.get("version")
    )
