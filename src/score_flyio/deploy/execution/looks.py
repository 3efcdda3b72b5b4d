"""When to look at booting machines: often enough to notice at once, seldom enough to be cheap.

One machine of an app, the scout, is looked at closely; as soon as it is well, one list call shows
all others. How long a group takes is learned, so that later rounds are looked at just in time.
"""

from __future__ import annotations

from attrs import define, frozen


@frozen(kw_only=True)
class LookPolicy:
    """Distances between looks, in seconds."""

    first: float = 0.35
    """The first look at a machine of a group of which nothing is known yet: none boots faster."""
    shortest: float = 0.1
    longest: float = 2.0
    share: float = 0.07
    """The next look comes after this share of the time already waited."""
    others: float = 5.0
    """Machines beside the scout are looked at so often at least."""
    together: float = 0.12
    """Looks that are due within this time are made as one."""

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

    def first_look(self, policy: LookPolicy) -> float:
        """When to look first, in seconds since the machine got its config."""
        if self.high - self.low < policy.shortest:
            return self.high
        return (self.low + self.high) / 2
