"""Exclusive holds on machines: taken, kept alive in the background, and always given back.

A lease ends by itself after its TTL, so TTLs are short and leases are renewed well before. The API
answers 409 while someone else holds the lease. (Source: the Machines guide and flyctl.) Thousands
of machines may be held at once, so each lease has one task and hardly anything else, and those of
very many last longer: a processor has to do all renewals in time.

Whoever waits for a lease holds none, or two runs that each have half of the machines would wait for
each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import anyio
import anyio.abc

from fly_machines import FlyMachinesApi, models
from score_flyio.base.record import Factory, define, evolve, field
from score_flyio.errors import (
    Conflict,
    FlyError,
    FlyProtocolError,
    LeaseHeld,
    LeaseLost,
    NotFound,
    Request,
    ScoreFlyError,
)
from score_flyio.events import (
    LeaseAcquired,
    LeaseAwaited,
    LeaseReleased,
    Listener,
    Scope,
    WarningRaised,
)
from score_flyio.fly.answered import answered
from score_flyio.fly.errors import is_doubtful

RELEASE_SECONDS: Final = 5.0
BETWEEN_TRIES: Final = 1.0
DOUBTS_WITHIN: Final = 60.0
"""Seconds within which answers that leave the outcome unknown are put up with, as flyctl does."""
RENEWALS: Final = 100
"""Most renewals in a second, for which leases of many machines last longer."""
LONGEST: Final = 120
"""Seconds that a lease lasts at most; flyctl's single commands ask for as many."""


@define(eq=False, kw_only=True)
class _Lease:
    machine: str
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)
    """Of its task, until the lease is given back."""
    nonce: str | None = field(default=None, repr=False)
    version: str | None = None
    """Of the machine, as it was granted."""
    ends: float = 0.0
    """When it ends unless it is renewed, or its nonce is lost; on the event loop's clock."""
    gone: bool = False
    """The machine is: it needs no lease."""
    failure: ScoreFlyError | None = None
    """Why it could not be taken, or how it was lost."""
    holder: str = ""
    """Who else has it, in the platform's words."""
    asked: bool = False
    """Whether it is granted or refused."""
    over: bool = False
    """Whether nothing of it is left to do."""


@define(kw_only=True)
class LeaseBook:
    """The leases of an app's machines, each kept by a task of its own in `tasks`.

    Call `release_all` before `tasks` are waited for or cancelled.
    """

    api: FlyMachinesApi
    app: str
    tasks: anyio.abc.TaskGroup
    ttl: float
    """Seconds after which a lease ends that is not renewed; longer for very many: `seconds`."""
    wait: float
    """Seconds to wait for a lease that someone else holds; longer where leases last longer."""
    emit: Listener
    on_lost: Callable[[str, ScoreFlyError], None] = lambda _machine, _error: None
    """Told at once of a machine whose lease was lost."""
    scope: Scope = Factory(Scope)
    """What its events are about, beside app and machine."""
    _leases: dict[str, _Lease] = Factory(dict)
    _told: dict[str, str] = Factory(dict)
    """What was told last of who holds a machine."""
    _turned: anyio.Event = Factory(anyio.Event)
    """Set, and made anew, when a lease is asked for or over: two of its own would be most of it."""

    async def hold(
        self, machines: Iterable[str], *, at_last: Iterable[str] = (), wait: float | None = None
    ) -> None:
        """Takes the leases of all these machines: all, or none.

        `at_last` are asked for when all others are held: they may be in the making by whoever holds
        those. While someone else holds one of them, the others are given back, and that one is
        asked for alone until it is free. Of runs that are in each other's way, the one that was
        refused the earlier machine comes first: give all of them in one order.

        Raises:
            LeaseHeld: someone else holds one of them for longer than `wait`, or than usual.
            FlyError: one cannot be asked for.
        """
        first = [name for name in machines if name not in self._leases]
        last = [name for name in at_last if name not in self._leases]
        batches, start = [first, last], anyio.current_time()
        # Leases of a killed run end in time.
        longer = self._lasting(len(first) + len(last)) - self._lasting(0)
        patience = (self.wait and self.wait + longer) if wait is None else wait
        while (refused := await self._take_all(batches)) is not None:
            waited = anyio.current_time() - start
            if not isinstance(refused.failure, LeaseHeld) or waited + BETWEEN_TRIES > patience:
                raise refused.failure or LeaseLost("a lease was given back while it was asked for")
            if self._told.get(refused.machine) != refused.holder:  # once, and again for another one
                self._told[refused.machine] = refused.holder
                self.emit(LeaseAwaited(reason=refused.holder, scope=self._scope(refused)))
            if refused.machine in first:
                others = [name for name in first if name != refused.machine]
                batches = [[refused.machine], others, last]
                await anyio.sleep(BETWEEN_TRIES * (1 + first.index(refused.machine) / len(first)))
            else:
                await anyio.sleep(BETWEEN_TRIES)

    async def _take_all(self, batches: Sequence[Sequence[str]]) -> _Lease | None:
        """Takes one batch after another; where one is refused, gives it, and the others back."""
        taken: list[_Lease] = []
        for batch in batches:
            new = [_Lease(machine=machine) for machine in batch]
            taken += new
            await self._ask_for(new)
            refused = [lease for lease in new if lease.failure is not None]
            if refused:
                for lease in taken:
                    self.release(lease.machine)
                await self._all_over(taken)
                for lease in taken:
                    self._leases.pop(lease.machine, None)
                return refused[0]
        return None

    async def _ask_for(self, new: Sequence[_Lease]) -> None:
        """Returns when all are granted, or one is refused."""
        waiting, settled = {lease.machine for lease in new}, anyio.Event()

        def told(lease: _Lease) -> None:
            waiting.discard(lease.machine)
            if lease.failure is not None or not waiting:
                settled.set()

        for lease in new:
            self._leases[lease.machine] = lease
            self.tasks.start_soon(self._host, lease, told)
        if new:
            await settled.wait()

    def adopt(self, machine: models.Machine) -> None:
        """Keeps the lease with which a machine was created just now.

        Where the answer was lost, so is the nonce: its lease is waited out, and taken anew.
        """
        name, ends = machine.id or "", anyio.current_time() + self.seconds
        self._leases[name] = lease = _Lease(machine=name, nonce=machine.nonce, ends=ends)
        self.tasks.start_soon(self._host, lease, lambda _: None)

    def forget(self, machine: str) -> None:
        """The machine was deleted, and its lease with it."""
        lease = self._leases.pop(machine, None)
        if lease is not None:
            lease.gone, lease.nonce = True, None
            lease.scope.cancel()

    async def settled(self, machine: str) -> None:
        """Returns once it is known whether a machine is held; see `adopt`."""
        lease = self._leases.get(machine)
        while lease is not None and not lease.asked:
            await self._turned.wait()

    def version(self, machine: str) -> str | None:
        """The version of a machine when its lease was granted, where the platform told it."""
        lease = self._leases.get(machine)
        return None if lease is None else lease.version

    def is_gone(self, machine: str) -> bool:
        """Whether the machine turned out to be deleted when its lease was asked for."""
        lease = self._leases.get(machine)
        return lease is not None and lease.gone

    def nonce(self, machine: str) -> str | None:
        """The proof of the lease, for each change of it; None for a machine that is not held.

        Raises LeaseLost: the lease ended while it was needed.
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
        if lease is not None:
            lease.scope.cancel()

    def release_all(self) -> None:
        """Lets go of all machines."""
        for machine in self._leases:
            self.release(machine)

    async def let_go(self) -> None:
        """The same; returns when all can be taken anew."""
        self.release_all()
        await self._all_over(list(self._leases.values()))
        self._leases.clear()

    async def _all_over(self, leases: Iterable[_Lease]) -> None:
        for lease in leases:
            while not lease.over:
                await self._turned.wait()

    def _turn(self) -> None:
        self._turned.set()
        self._turned = anyio.Event()

    async def _host(self, lease: _Lease, told: Callable[[_Lease], None]) -> None:
        try:
            with lease.scope:
                if lease.nonce is None:
                    await self._acquire(lease)
                self._is_asked(lease, told)
                await self._keep(lease)
        finally:
            self._is_asked(lease, told)
            if lease.nonce is not None:
                await self._give_back(lease)
            lease.over = True
            self._turn()

    def _is_asked(self, lease: _Lease, told: Callable[[_Lease], None]) -> None:
        lease.asked = True
        self._turn()
        told(lease)

    async def _acquire(self, lease: _Lease) -> None:
        """Asks for the lease until there is an answer of which no doubt is left.

        A lost answer may have left a lease of our own whose nonce nobody knows; it ends with its
        TTL.
        """
        doubtful_since: float | None = None
        while (failure := await self._asked(lease)) is not None:
            now = anyio.current_time()
            if isinstance(failure, NotFound):
                lease.gone = True
                return
            if not isinstance(failure, Conflict) or now >= lease.ends:
                doubtful_since = now if doubtful_since is None else doubtful_since
                if not is_doubtful(failure) or now - doubtful_since > DOUBTS_WITHIN:
                    lease.failure = self._refused(lease, failure)
                    return
                lease.ends = now + self.seconds + BETWEEN_TRIES
            await anyio.sleep(BETWEEN_TRIES)

    async def _asked(self, lease: _Lease) -> FlyError | None:
        """Ask once, and note what is granted even when the run is cancelled meanwhile."""
        try:
            await answered(lambda: self._ask(lease), within=RELEASE_SECONDS)
        except FlyError as error:
            return error
        return None

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
        lease.nonce, lease.ends = granted.nonce, sent + self.seconds
        lease.version = granted.version
        self.emit(
            LeaseAcquired(expires_at=float(granted.expires_at or 0), scope=self._scope(lease))
        )

    async def _keep(self, lease: _Lease) -> None:
        """Renew the lease until it is lost or the machine is gone."""
        renewed = True
        while not lease.gone and lease.failure is None:
            left = lease.ends - anyio.current_time()
            pause = max(0.25, (left - 1) / 2) if renewed else BETWEEN_TRIES
            await anyio.sleep(max(0.0, min(pause, left)))
            renewed = await self._renewed(lease)
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
                    lease.ends = sent + self.seconds
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
            slow = "where answers take longer than a lease lasts, make it last longer with "
            remedy = f"{slow}--lease-timeout; " if failure is None else ""
            self._lose(lease, f"it could not be renewed in time: {failure or 'no answer'}", remedy)
        return False

    def _lose(self, lease: _Lease, why: str, remedy: str = "") -> None:
        if lease.failure is None and not lease.gone:
            lease.failure = LeaseLost(
                f"machine {lease.machine} of app {self.app}: the lease was lost: {why}",
                hint=f"{remedy}run the same command again; it goes on from what is there",
            )
            self.on_lost(lease.machine, lease.failure)

    async def _give_back(self, lease: _Lease) -> None:
        """One that has ended already is fine."""
        scope, why = self._scope(lease), f"no answer within {RELEASE_SECONDS:g} s"
        with anyio.move_on_after(RELEASE_SECONDS, shield=True):
            try:
                await self.api.machines_release_lease(
                    self.app, lease.machine, fly_machine_lease_nonce=lease.nonce or ""
                )
            except NotFound:
                return
            except FlyError as error:
                why = str(error)
            else:
                self.emit(LeaseReleased(scope=scope))
                return
        message = f"the lease could not be released and ends by itself: {why}"
        self.emit(WarningRaised(message=message, code="lease_not_released", scope=scope))

    @property
    def seconds(self) -> int:
        """How long a lease lasts that is not renewed, in whole seconds."""
        return self._lasting(len(self._leases))

    def _lasting(self, machines: int) -> int:
        """How long the leases of so many machines last: each is renewed about twice in it."""
        return max(1, round(self.ttl), min(LONGEST, 2 * machines // RENEWALS))

    def _request(self) -> models.CreateLeaseRequest:
        return models.CreateLeaseRequest(ttl=self.seconds, description="score-flyio deploy")

    def _scope(self, lease: _Lease) -> Scope:
        return evolve(self.scope, app=self.app, machine=lease.machine)

    def _refused(self, lease: _Lease, error: FlyError) -> ScoreFlyError:
        if not isinstance(error, Conflict):
            return error
        lease.holder = error.answer.message.removeprefix(f"machine ID {lease.machine} lease ")
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
