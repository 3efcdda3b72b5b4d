"""The documented rate limits, kept on this side: callers wait their turn and are never refused.

Documented: each action 1 request a second with bursts of 3, counted per action and machine, or app
where there is no machine; reading one machine 5 a second with bursts of 10; 100 app deletions a
minute. For an action that names neither machine nor app, one bucket is shared.

The platform counts when requests arrive, this side counts when they are sent, and the first request
of a burst may travel longer than those after it. So a full bucket refills only from when the
first request taken from it is answered, or `MARGIN` seconds later at the latest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import anyio

from fly_machines.operations import Operation
from score_flyio.base.record import define, frozen

MARGIN: Final = 0.5
"""Seconds by which one request may travel longer than another."""
SLOWEST: Final = 1 / 4
"""How much of its documented rate a bucket keeps at least after refusals."""
RECOVERY: Final = 1.5
"""Factor by which a slowed bucket speeds up with each answer that is no refusal."""
EPSILON: Final = 1e-9


@frozen(kw_only=True)
class Limit:
    """Requests per second in the long run, and at once."""

    rate: float
    burst: int
    per: Literal["identifier", "all"] = "identifier"


EACH_ACTION: Final = Limit(rate=1, burst=3)
READ_MACHINE: Final = Limit(rate=5, burst=10)
DELETE_APPS: Final = Limit(rate=1.5, burst=10, per="all")
"""At most 100 in any minute: a burst of 10 and 90 more in the 60 seconds after it."""
LIMITS: Final[Mapping[str, tuple[Limit, ...]]] = {
    "Machines_show": (READ_MACHINE,),
    "Apps_delete": (EACH_ACTION, DELETE_APPS),
}
"""Limits by operation id, where they are not EACH_ACTION."""


def identifier(path: Mapping[str, str]) -> str:
    """What the limit of a call is counted for: the machine, else the app, else nothing."""
    return path.get("machine_id") or path.get("app_name") or ""


@define(eq=False)
class _Bucket:
    """A token bucket; the one in front of the queue waits while the others queue for `turn`.

    There are thousands, and hardly one has a queue: what a queue needs is made with it.
    """

    limit: Limit
    tokens: float
    refilled: float
    """Until when tokens have been added; later than now while a refill is put off."""
    held: float = float("-inf")
    """Until when a refusal keeps everyone waiting."""
    pace: float = 1.0
    """Part of the documented rate in use."""
    turn: anyio.Lock | None = None
    changed: anyio.Event | None = None

    @property
    def rate(self) -> float:
        return self.limit.rate * self.pace

    def refill(self, now: float) -> None:
        if now > self.refilled:
            self.tokens = min(self.limit.burst, self.tokens + (now - self.refilled) * self.rate)
            self.refilled = now

    async def take(self, now: float) -> float | None:
        """Wait for a token and take it; gives back until when it put off the refill, if it did."""
        if self.turn is None:
            if self._ready(now):
                return self._spend(now)
            self.turn = anyio.Lock()
        async with self.turn:
            while not self._ready(now := anyio.current_time()):
                missing = (1 - self.tokens) / self.rate
                end = max(self.refilled + missing, self.held)
                self.changed = self.changed or anyio.Event()
                with anyio.move_on_after(end - now):
                    await self.changed.wait()
            return self._spend(now)

    def _ready(self, now: float) -> bool:
        self.refill(now)
        return self.tokens >= 1 - EPSILON and now >= self.held - EPSILON

    def _spend(self, now: float) -> float | None:
        put_off = now + MARGIN - (self.limit.burst - self.tokens) / self.rate
        self.tokens -= 1
        if put_off <= self.refilled:
            return None
        self.refilled = put_off
        return put_off

    def arrived(self, put_off: float | None) -> None:
        """The request that put off the refill has arrived, so the refill need not wait longer."""
        if put_off is not None and self.refilled == put_off:
            self.refilled = min(put_off, anyio.current_time())
            self._wake()

    def refused(self, delay: float) -> None:
        """The platform said no: the next request goes out in `delay` seconds, then slower ones."""
        self.pace = max(SLOWEST, self.pace / 2)
        self.held = max(self.held, anyio.current_time() + delay)
        self.tokens, self.refilled = 1.0, self.held

    def accepted(self) -> None:
        if self.pace < 1:
            self.refill(anyio.current_time())
            self.pace = min(1.0, self.pace * RECOVERY)
            self._wake()

    def _wake(self) -> None:
        if self.changed is not None:
            self.changed.set()
            self.changed = None


@frozen(kw_only=True)
class Permit:
    """Leave to send one request; tell it how the request went."""

    at: float
    """When it was given, on the event loop's clock."""
    queued: float
    """Seconds waited for it."""
    _taken: tuple[tuple[_Bucket, float | None], ...]

    def answered(self) -> None:
        """The request was answered, with anything but 429."""
        for bucket, put_off in self._taken:
            bucket.arrived(put_off)
            bucket.accepted()

    def refused(self, delay: float) -> None:
        """The answer was 429, and the next request may go out in `delay` seconds."""
        for bucket, _ in self._taken:
            bucket.refused(delay)


class RateLimiter:
    """The limits of one platform. Share one among all that talks to it in a process."""

    def __init__(self, limits: Mapping[str, tuple[Limit, ...]] = LIMITS) -> None:
        self._limits = limits
        self._buckets: dict[tuple[str, str, int], _Bucket] = {}

    async def acquire(self, operation: Operation, path: Mapping[str, str]) -> Permit:
        """Wait, first come first served, until the call may be sent."""
        start = now = anyio.current_time()
        taken = []
        for bucket in self._buckets_of(operation, path):
            taken.append((bucket, await bucket.take(now)))
            now = anyio.current_time()
        return Permit(at=now, queued=now - start, taken=tuple(taken))

    def _buckets_of(self, operation: Operation, path: Mapping[str, str]) -> Iterator[_Bucket]:
        for number, limit in enumerate(self._limits.get(operation.id, (EACH_ACTION,))):
            whom = "" if limit.per == "all" else identifier(path)
            key = (operation.id, whom, number)
            if key not in self._buckets:
                self._buckets[key] = _Bucket(limit, tokens=limit.burst, refilled=float("-inf"))
            yield self._buckets[key]
