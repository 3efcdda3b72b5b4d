"""Watches the machines of one app until they are well, with as few calls as that takes.

One machine of an app, the scout, is looked at closely; as soon as it is well, one list call shows
all others. How long a group takes is learned, so that later rounds are looked at just in time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import TypeAlias

import anyio

from fly_machines import models
from score_flyio.base.record import Factory, define, evolve, field, frozen
from score_flyio.deploy.execution.scouts import Scouts
from score_flyio.deploy.verdict import (
    CheckCount,
    Health,
    Verdict,
    checks_since,
    count_checks,
    crash_loop,
    judge,
    state_since,
)
from score_flyio.errors import (
    FlyApiError,
    FlyError,
    HealthCheckFailed,
    NotFound,
    RateLimited,
    ScoreFlyError,
)
from score_flyio.events import CheckChanged, Event, MachineStateChanged, Scope
from score_flyio.fly.client import FlyClient
from score_flyio.fly.login import TOKEN_EXPIRED

Judge: TypeAlias = Callable[[models.Machine], Verdict]

ENDING = frozenset({"replacing", "stopping"})
"""States in which the version before still comes to its end."""
LONGEST_STOP = 300.0
"""Seconds that this may take; see `kill_timeout`."""
LAST_LOOK = 3.0
"""Seconds before the end of a wait, in which a last look must be answered: what the others of a
group took may be more than there is time, and only a look tells that the version before still
comes to its end."""
GONE_AFTER = 10.0
"""Seconds in which a machine just made may still be missing from answers (404), and its app
unknown to them (401)."""


@frozen(kw_only=True)
class LookPolicy:
    """Seconds between looks at booting machines: few enough to notice at once, yet cheap."""

    first: float = 0.35
    """The first look at a machine of a group of which nothing is known yet: none boots faster."""
    shortest: float = 0.1
    longest: float = 2.0
    share: float = 0.07
    """The next look comes after this share of the time already waited."""
    others: float = 5.0
    """Machines beside the scout are looked at so often at least."""
    seldom: float = 2.0
    """The first look at an app beside the scouts of the run; the second comes after as long again.
    """
    together: float = 0.12
    """Looks that are due within this time are made as one."""
    launched: float = 2.0
    """The same for a first launch, once it is known how long machines of the run take: they come
    one after another, and one look at the end shows all."""

    def step(self, waited: float) -> float:
        """How long until the next look at a machine that has been waited for so long."""
        return min(self.longest, max(self.shortest, waited * self.share))


@define
class Learned:
    """How long machines of a group took until they were well: between `low` and `high`."""

    low: float
    high: float

    def learn(self, low: float, high: float) -> None:
        """Narrows the bounds by one more machine, or moves them where they no longer hold."""
        if high <= self.low or low >= self.high:
            self.low, self.high = low, high
            return
        self.low, self.high = max(self.low, low), min(self.high, high)

    def next_look(self, policy: LookPolicy, waited: float) -> float:
        """When to look next, in seconds since the machine got its config."""
        if waited >= self.high:
            return waited + policy.step(waited)
        if self.high - max(self.low, waited) < policy.shortest * 2:
            return self.high
        return (max(self.low, waited) + self.high) / 2


@define(eq=False, kw_only=True)
class _Watch:
    machine: str
    group: str
    judge: Judge
    since: float
    patience: anyio.CancelScope
    """Ends with the wait for it."""
    within: float = 0.0
    """Seconds that its version may take once it begins; 0: the end stays where it is."""
    next_look: float = inf
    until: float | None = None
    """The end of the window in which it has to stay well; None: it has to become well."""
    considered: float = field(factory=anyio.current_time)
    """When it was last read, or first waited for."""
    last_look: float = 0.0
    """Seconds since `since` of the last look that found it not well yet."""
    pending: str = "it was not seen yet"
    seen: models.Machine | None = None
    verdict: Verdict | None = None
    done: anyio.Event = field(factory=anyio.Event)

    @property
    def due(self) -> float:
        """When it is looked at next, which is once more before the wait for it ends."""
        last = self.patience.deadline - LAST_LOOK
        return min(self.next_look, last) if self.considered < last else self.next_look


@define(eq=False, kw_only=True)
class HealthWatch:
    """`run()` looks at machines while others await `healthy()` and `steady()`."""

    client: FlyClient
    app: str
    emit: Callable[[Event], None]
    scope: Scope
    policy: LookPolicy = field(factory=LookPolicy)
    scouts: Scouts = field(factory=Scouts)
    """Shared by all apps of a run."""
    whole: bool = False
    """Whether looks are to show the whole app, where that takes no more calls."""
    coming: int = 0
    """How many machines of the launch are still to be waited for."""
    listed: Sequence[models.Machine] = ()
    """The machines of the app, where `whole` is and the last look showed them."""
    put_back: set[str] = Factory(set)
    """Machines that were seen to run the version before again, to which the platform put them."""
    _watches: list[_Watch] = Factory(list)
    _given_up: dict[str, ScoreFlyError] = Factory(dict)
    """Why nobody waits for these machines any more."""
    _learned: dict[str, Learned] = Factory(dict)
    _shown: dict[str, tuple[str | None, CheckCount]] = Factory(dict)
    _sooner: anyio.Event = field(factory=anyio.Event)
    """Set where a look may be due sooner than it was."""

    async def healthy(
        self,
        machine: str,
        *,
        group: str,
        instance_id: str | None,
        since: float,
        within: float,
        checks: bool,
        start: Callable[[], Awaitable[None]],
    ) -> models.Machine:
        """Waits until the machine runs this version, started, with all its checks passing.

        `since` is when it got its config, on the event loop's clock; `within` counts from when the
        version before came to its end. A machine that came to rest
        before it got its config, or without ever having run it, is started.

        Raises:
            HealthCheckFailed: it turned out bad, or was not well `within` so many seconds.
            LeaseLost: someone else has it in hand.
        """
        while True:
            watch = _Watch(
                machine=machine,
                group=group,
                judge=lambda seen: judge(seen, instance_id=instance_id, checks=checks),
                since=since,
                patience=anyio.CancelScope(deadline=since + within),
                within=within,
            )
            self.scouts.join(self, self._look_at_the_rest)
            first = since + self._booted(watch, 0.0)
            watch.next_look = max(anyio.current_time(), first)
            seen = await self._await(watch, f"within {within:g} s")
            if seen is not None:
                return seen
            await start()

    async def steady(self, machine: str, *, group: str, until: float) -> None:
        """Watches a started machine until the time `until`, on the event loop's clock.

        Raises:
            HealthCheckFailed: it crashed again and again, failed or was destroyed.
            LeaseLost: someone else has it in hand.
        """

        def still_well(seen: models.Machine) -> Verdict:
            if looping := crash_loop(seen):
                return Verdict(Health.BAD, looping)
            verdict = judge(seen, instance_id=None, checks=False)
            if verdict.health is Health.BAD:
                return verdict
            over = anyio.current_time() >= until
            return Verdict(Health.WELL if over else Health.PENDING, verdict.reason)

        now = anyio.current_time()
        watch = _Watch(
            machine=machine,
            group=group,
            judge=still_well,
            since=now,
            patience=anyio.CancelScope(deadline=until + 60),
            next_look=min(until, now + self.policy.others),
            until=until,
        )
        await self._await(watch, "after its smoke window")

    def give_up(self, machine: str, error: ScoreFlyError) -> None:
        """Ends what waits for the machine, now and later, with the error."""
        self._given_up[machine] = error
        for watch in self._watches:
            if watch.machine == machine:
                watch.done.set()

    async def run(self) -> None:
        """Looks at machines for as long as someone waits for them; ends by cancellation."""
        while True:
            due = min((watch.due for watch in self._pending()), default=inf)
            if self.coming > 0:
                due += self._more_at_once()
            now = anyio.current_time()
            if due > now:
                with anyio.move_on_after(due - now):
                    await self._sooner.wait()
                    self._sooner = anyio.Event()
                continue
            await self._look()

    async def _await(self, watch: _Watch, limit: str) -> models.Machine | None:
        """The machine once it is well; None when it rests and nobody started it."""
        self._watches.append(watch)
        self._sooner.set()
        try:
            with watch.patience:
                if watch.machine not in self._given_up:
                    await watch.done.wait()
        finally:
            self._watches.remove(watch)
            if all(each.until is not None for each in self._watches):
                self.scouts.leave(self)
        if watch.machine in self._given_up:
            raise self._given_up[watch.machine]
        verdict = watch.verdict or Verdict(Health.PENDING, f"not healthy {limit}: {watch.pending}")
        if verdict.health is Health.WELL and watch.seen:
            return watch.seen
        if verdict.health is Health.RESTS:
            return None
        raise HealthCheckFailed(
            f"machine {watch.machine} of group {watch.group} in app {self.app}: {verdict.reason}",
            hint="read its logs, or raise --wait-timeout if it only needs longer",
            machine=watch.machine,
        )

    async def _look(self) -> None:
        """One call: the list when several looks are due, else the one machine."""
        now = anyio.current_time()
        soon = now + max(self.policy.together, self._more_at_once())
        due = [watch for watch in self._pending() if watch.due <= soon]
        latest = max(watch.due for watch in due)
        if latest > now:
            await anyio.sleep(latest - now)
        asked = anyio.current_time()
        try:
            seen = await (self._list() if self._all_at_once(due) else self._get(due[0].machine))
        except FlyError as error:
            self._look_failed(due, error)
            return
        found = False
        for watch in self._pending():
            if watch.machine in seen:
                found |= self._consider(watch, seen[watch.machine], asked)
            elif watch in due:
                found |= await self._look_for(watch)
        if found:
            self._look_at_the_rest()
        else:
            self._choose_scout()

    def _more_at_once(self) -> float:
        """Seconds by which a look may come later, so that it shows all machines of a launch."""
        first = self.whole and self.scouts.usual is not None and not self._learned
        return self.policy.launched if first else 0.0

    def _all_at_once(self, due: list[_Watch]) -> bool:
        """Whether these are read with all others of the app: lists may be asked for less often."""
        if len({watch.machine for watch in due}) > 1:
            return True
        return self.whole and any(watch.group in self._learned for watch in due)

    async def _list(self) -> dict[str, models.Machine]:
        listed = await self.client.api.machines_list(self.app)
        if self.whole:
            self.listed = listed
        return {machine.id: machine for machine in listed if machine.id}

    async def _get(self, machine: str) -> dict[str, models.Machine]:
        self.listed = ()
        return {machine: await self.client.api.machines_show(self.app, machine)}

    def _look_failed(self, due: list[_Watch], error: FlyError) -> None:
        """A failed look says nothing of the machine: it is looked at again until its deadline."""
        now = anyio.current_time()
        refused = isinstance(error, FlyApiError) and error.status in {401, 403}
        for watch in due:
            if isinstance(error, NotFound) and self._overdue(watch):
                self._settle(watch, Verdict(Health.BAD, "it is gone"))
            elif error.code == TOKEN_EXPIRED or (refused and self._overdue(watch)):
                self._settle(watch, Verdict(Health.BAD, str(error)))
            else:
                watch.pending, watch.considered = str(error), now
                wait = self.policy.longest if isinstance(error, RateLimited) else 0.0
                watch.next_look = now + max(wait, self.policy.step(now - watch.since))

    async def _look_for(self, watch: _Watch) -> bool:
        """Looks for a machine that a list lacks: it may lack a region. True when it is well now."""
        if not self._overdue(watch):
            watch.considered = now = anyio.current_time()
            watch.next_look = now + self.policy.step(now - watch.since)
            return False
        asked = anyio.current_time()
        try:
            seen = await self._get(watch.machine)
        except FlyError as error:
            self._look_failed([watch], error)
            return False
        return self._consider(watch, seen[watch.machine], asked)

    def _overdue(self, watch: _Watch) -> bool:
        """Whether it was made so long ago that it must be seen, if it is there."""
        return anyio.current_time() - watch.since > GONE_AFTER

    def _consider(self, watch: _Watch, seen: models.Machine, asked: float) -> bool:
        """Judges one watch by what was read then; True when its machine is well now."""
        self._show(watch, seen)
        watch.seen = seen
        verdict = watch.judge(seen)
        watch.considered = now = anyio.current_time()
        waited = asked - watch.since
        if seen.state in ENDING and watch.within:
            latest = watch.since + LONGEST_STOP + watch.within
            watch.patience.deadline = min(now + watch.within, latest)
        if verdict.health is Health.REVERTED:
            health = Health.PENDING
            if self._overdue(watch):
                health = Health.BAD
                self.put_back.add(watch.machine)
            verdict = Verdict(health, verdict.reason)
        if verdict.health is Health.PENDING:
            watch.pending = verdict.reason
            if watch.next_look <= now + self.policy.together:
                watch.next_look = self._next_look(watch, now)
            watch.last_look = waited
            return False
        if verdict.health is Health.WELL and watch.until is None:
            self._learned.setdefault(watch.group, Learned(0.0, inf)).learn(watch.last_look, waited)
            self.scouts.found(self, waited)
        self._settle(watch, verdict)
        return verdict.health is Health.WELL

    def _next_look(self, watch: _Watch, now: float) -> float:
        """When to look again at a machine that is to become, or to stay, well."""
        if watch.until is None:
            return watch.since + self._booted(watch, now - watch.since)
        if now < watch.until:
            return min(watch.until, now + self.policy.others)
        return now + self.policy.step(now - watch.since)

    def _booted(self, watch: _Watch, waited: float) -> float:
        """When it may be well, in seconds since it got its config; later than `waited`."""
        learned, usual = self._learned.get(watch.group), self.scouts.usual
        if learned is not None:
            return learned.next_look(self.policy, waited)
        closely = self.scouts.closely(self) and (usual is None or waited)
        if closely or (usual is not None and waited >= usual):
            return max(self.policy.first, waited + self.policy.step(waited))
        seldom = max(self.policy.seldom, waited + min(waited, self.policy.others))
        return seldom if usual is None else min(usual, seldom)

    def _settle(self, watch: _Watch, verdict: Verdict) -> None:
        watch.verdict = verdict
        watch.next_look = inf
        watch.done.set()

    def states(self) -> dict[str, str]:
        """How each machine was when it was looked at last."""
        return {machine: state for machine, (state, _) in self._shown.items() if state}

    def _look_at_the_rest(self) -> None:
        for watch in self._pending():
            if watch.until is None:
                learned = self._learned.get(watch.group)
                ready = watch.since + (learned.high if learned else self.scouts.usual or 0.0)
                if ready < watch.next_look:
                    watch.next_look = min(watch.next_look, max(anyio.current_time(), ready))
                    self._sooner.set()

    def _choose_scout(self) -> None:
        """All but the machine that is due first are looked at seldom, until it is well."""
        booting = sorted(
            (watch for watch in self._pending() if watch.until is None), key=lambda w: w.next_look
        )
        for watch in booting[1:]:
            if watch.group not in self._learned:
                watch.next_look = max(watch.next_look, watch.considered + self.policy.others)

    def _pending(self) -> list[_Watch]:
        return [watch for watch in self._watches if not watch.done.is_set()]

    def _show(self, watch: _Watch, seen: models.Machine) -> None:
        count = count_checks(seen)
        state, checks = self._shown.get(watch.machine, (None, None))
        scope = evolve(self.scope, app=self.app, group=watch.group, machine=watch.machine)
        if seen.state != state:
            self.emit(
                MachineStateChanged(
                    scope=scope,
                    state=seen.state or "?",
                    region=seen.region,
                    since=state_since(seen),
                )
            )
        if count != checks and count.configured:
            self.emit(
                CheckChanged(
                    scope=scope,
                    passing=count.passing,
                    total=count.configured,
                    output=count.output,
                    since=checks_since(seen),
                )
            )
        self._shown[watch.machine] = (seen.state, count)
