"""Exclusive holds on machines: taken, kept alive in the background, and always given back.

A lease ends by itself after its TTL, so TTLs are short and leases are renewed well before. The API
answers 409 while someone else holds the lease. (Source: the Machines guide and flyctl.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import anyio
from attrs import define, field, frozen

from fly_machines import FlyMachinesApi, models
from score_flyio.errors import (
    Conflict,
    DeployError,
    FlyApiError,
    FlyError,
    FlyProtocolError,
    LeaseHeld,
    LeaseLost,
    NotFound,
    Request,
)
from score_flyio.events import Event, LeaseAcquired, LeaseReleased, Scope, WarningRaised
from score_flyio.fly.errors import is_doubtful

DEFAULT_TTL: Final = 30
RELEASE_SECONDS: Final = 5.0
AT_ONCE: Final = 20
"""Leases taken at the same time, as flyctl does."""
BETWEEN_TRIES: Final = 1.0
DOUBTS_WITHIN: Final = 60.0
"""Seconds within which answers that leave the outcome unknown are put up with, as flyctl does."""


def _silent(_event: Event) -> None:
    """Report nothing."""


@frozen(kw_only=True)
class _Terms:
    """What all leases of one hold have in common."""

    api: FlyMachinesApi
    app: str
    ttl: int
    description: str
    wait: float
    emit: Callable[[Event], None]

    def request(self) -> models.CreateLeaseRequest:
        return models.CreateLeaseRequest(ttl=self.ttl, description=self.description)


@define(eq=False, kw_only=True)
class HeldLease:
    """The lease of one machine, kept alive while its context is open."""

    machine_id: str
    version: str | None = None
    """Version (`instance_id`) of the machine when it was leased, where the platform tells."""
    _terms: _Terms = field(alias="terms", repr=False)
    _nonce: str = field(alias="nonce", repr=False)
    _ends: float = field(alias="ends")
    _lost: LeaseLost | None = field(default=None, init=False)
    _gone: bool = field(default=False, init=False)
    _released: bool = field(default=False, init=False)
    """Given back, or told that it could not be."""

    @property
    def nonce(self) -> str:
        """Send it with each change of the machine. Raises LeaseLost when the lease has ended."""
        if self._lost is not None:
            raise self._lost
        return self._nonce

    @property
    def lost(self) -> LeaseLost | None:
        """Why the lease ended early, if it did."""
        return self._lost

    async def keep(self) -> None:
        """Renew the lease until it is lost or the machine is gone."""
        usual = max(0.25, (self._terms.ttl - 1) / 3)
        pause = usual
        while not self._gone and self._lost is None:
            await anyio.sleep(max(0.0, min(pause, self._ends - anyio.current_time())))
            pause = usual if await self._renewed() else BETWEEN_TRIES

    async def _renewed(self) -> bool:
        sent = anyio.current_time()
        failure: FlyError | None = None
        try:
            with anyio.move_on_after(self._ends - sent):
                answer = await self._terms.api.machines_create_lease(
                    self._terms.app,
                    self.machine_id,
                    self._terms.request(),
                    fly_machine_lease_nonce=self._nonce,
                )
                if _lease(answer).nonce in (None, self._nonce):
                    self._ends = sent + self._terms.ttl
                    return True
                self._lose("someone else took it")
        except NotFound as error:
            if "lease" in error.answer.message.lower():
                self._lose(error.answer.message)
            self._gone = True  # a machine that is deleted needs no lease
        except Conflict as error:
            self._lose(error.answer.message)
        except FlyError as error:
            failure = error
        if anyio.current_time() >= self._ends:
            self._lose(f"it could not be renewed in time: {failure or 'no answer'}")
        return False

    def _lose(self, why: str) -> None:
        if self._lost is None and not self._gone:
            self._lost = LeaseLost(
                f"machine {self.machine_id} of app {self._terms.app}: the lease was lost: {why}",
                hint="run the same command again; it goes on from what is there",
            )

    async def release(self) -> None:
        """Give the lease back; one that has ended already is fine."""
        terms = self._terms
        try:
            await terms.api.machines_release_lease(
                terms.app, self.machine_id, fly_machine_lease_nonce=self._nonce
            )
        except NotFound:
            self._released = True
            return
        except FlyError as error:
            self.warn(str(error))
            return
        self._released = True
        terms.emit(LeaseReleased(scope=Scope(app=terms.app, machine=self.machine_id)))

    def warn(self, why: str) -> None:
        """Say, once, that the lease could not be given back."""
        if self._released:
            return
        self._released = True
        message = f"the lease could not be released and ends by itself: {why}"
        scope = Scope(app=self._terms.app, machine=self.machine_id)
        self._terms.emit(WarningRaised(message=message, code="lease_not_released", scope=scope))


@asynccontextmanager
async def hold_lease(
    api: FlyMachinesApi,
    app: str,
    machine_id: str,
    *,
    ttl: float = DEFAULT_TTL,
    wait: float = 0,
    description: str = "score-flyio",
    emit: Callable[[Event], None] = _silent,
) -> AsyncIterator[HeldLease]:
    """Hold the lease of one machine while the context is open.

    Args:
        api: The operations of the platform.
        app: Name of the app.
        machine_id: The machine to hold.
        ttl: Seconds after which the lease ends when it is not renewed.
        wait: Seconds to wait for a lease that someone else holds.
        description: Shown to whoever meets the lease.
        emit: Told of leases taken and given back.

    Raises LeaseHeld when someone else holds it, LeaseLost when it ends while the context is open
    (what runs inside is cancelled), and FlyError when it cannot be asked for.
    """
    async with hold_leases(
        api, app, [machine_id], ttl=ttl, wait=wait, description=description, emit=emit
    ) as leases:
        yield leases[machine_id]


@asynccontextmanager
async def hold_leases(
    api: FlyMachinesApi,
    app: str,
    machine_ids: Iterable[str],
    *,
    ttl: float = DEFAULT_TTL,
    wait: float = 0,
    description: str = "score-flyio",
    emit: Callable[[Event], None] = _silent,
) -> AsyncIterator[Mapping[str, HeldLease]]:
    """Hold the leases of several machines, all or none; arguments and errors as `hold_lease`."""
    terms = _Terms(
        api=api,
        app=app,
        ttl=max(1, round(ttl)),
        description=description,
        wait=wait,
        emit=emit,
    )
    leases: dict[str, HeldLease] = {}
    failure: Exception | None = None
    try:
        async with anyio.create_task_group() as tasks:

            async def keep(lease: HeldLease) -> None:
                await lease.keep()
                if lease.lost is not None:
                    tasks.cancel_scope.cancel()

            def granted(lease: HeldLease) -> None:
                leases[lease.machine_id] = lease
                tasks.start_soon(keep, lease)

            try:
                await _acquire_all(terms, list(dict.fromkeys(machine_ids)), granted)
                yield leases
            except Exception as error:  # noqa: BLE001  (raised below, outside the task group)
                failure = error
            tasks.cancel_scope.cancel()
    finally:
        await _release_all(leases.values())
    lost = next((lease.lost for lease in leases.values() if lease.lost is not None), None)
    if lost is not None:
        raise lost from (failure if failure is not lost else None)
    if failure is not None:
        raise failure


async def _acquire_all(
    terms: _Terms, machine_ids: list[str], granted: Callable[[HeldLease], None]
) -> None:
    failures: list[DeployError | FlyError] = []
    places = anyio.Semaphore(AT_ONCE)
    async with anyio.create_task_group() as tasks:

        async def acquire(machine_id: str) -> None:
            try:
                async with places:
                    await _acquire(terms, machine_id, granted)
            except (DeployError, FlyError) as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        for machine_id in machine_ids:
            tasks.start_soon(acquire, machine_id)
    if failures:
        raise failures[0]


async def _acquire(terms: _Terms, machine_id: str, granted: Callable[[HeldLease], None]) -> None:
    """Ask for the lease until it is there, or someone else's outlasts the time to wait.

    A lost answer may have left a lease of our own whose nonce nobody knows: it ends with its TTL,
    so then a foreign holder is waited for that long.
    """
    patience = terms.wait
    start = anyio.current_time()
    doubtful_since: float | None = None
    while True:
        failure = await _ask(terms, machine_id, granted)
        if failure is None:
            return
        waited = anyio.current_time() - start
        if isinstance(failure, Conflict):
            doubtful_since = None
            if waited + BETWEEN_TRIES > patience:
                raise _held(terms, machine_id, failure) from failure
        else:
            doubtful_since = doubtful_since or start + waited
            if not is_doubtful(failure) or start + waited - doubtful_since > DOUBTS_WITHIN:
                raise failure
            patience = max(patience, waited + terms.ttl + 2 * BETWEEN_TRIES)
        await anyio.sleep(BETWEEN_TRIES)


async def _ask(
    terms: _Terms, machine_id: str, granted: Callable[[HeldLease], None]
) -> FlyError | None:
    """Ask once. When cancelled, wait a little for the answer: only who has it can release."""
    failures: list[FlyError] = []
    answered = anyio.Event()
    grace = anyio.CancelScope(shield=True)

    async def ask() -> None:
        with grace:
            try:
                granted(await _taken(terms, machine_id))
            except FlyError as error:
                failures.append(error)
        answered.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        try:
            await answered.wait()
        finally:
            grace.deadline = anyio.current_time() + RELEASE_SECONDS
    return failures[0] if failures else None


async def _taken(terms: _Terms, machine_id: str) -> HeldLease:
    sent = anyio.current_time()
    answer = await terms.api.machines_create_lease(terms.app, machine_id, terms.request())
    lease = _lease(answer)
    if lease.nonce is None:
        path = f"/v1/apps/{terms.app}/machines/{machine_id}/lease"
        raise FlyProtocolError(
            f"POST {path}: a lease without a nonce", request=Request(method="POST", path=path)
        )
    scope = Scope(app=terms.app, machine=machine_id)
    terms.emit(LeaseAcquired(expires_at=float(lease.expires_at or 0), scope=scope))
    return HeldLease(
        machine_id=machine_id,
        version=lease.version,
        terms=terms,
        nonce=lease.nonce,
        ends=sent + terms.ttl,
    )


def _lease(answer: models.LeaseResponse) -> models.Lease:
    """The lease in its envelope; the published document has it without one."""
    if answer.data is not None:
        return answer.data
    bare = answer.extra
    return models.Lease(
        nonce=bare.get("nonce"), expires_at=bare.get("expires_at"), version=bare.get("version")
    )


def _held(terms: _Terms, machine_id: str, error: FlyApiError) -> LeaseHeld:
    return LeaseHeld(
        f"machine {machine_id} of app {terms.app} is leased: {error.answer.message}",
        hint="another deploy is at work on this app: wait until it has ended, or until the lease "
        "expires, and run the same command again; --lease-wait says how long to wait for it",
        failures=[error],
    )


async def _release_all(leases: Iterable[HeldLease]) -> None:
    leases = tuple(leases)
    with anyio.move_on_after(RELEASE_SECONDS, shield=True) as in_time:
        async with anyio.create_task_group() as tasks:
            for lease in leases:
                tasks.start_soon(lease.release)
    if in_time.cancelled_caught:
        for lease in leases:
            lease.warn(f"no answer within {RELEASE_SECONDS:g} s")
