"""Wall-clock time, injectable.

Only stamps and lease expiry need it: all waiting goes through `anyio.sleep`, so that trio's mock
clock drives simulated runs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present time."""

    def time(self) -> float:
        """Seconds since the Unix epoch."""


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        return time.time()


class EventLoopClock:
    """Wall-clock time that advances with the event loop's clock, for runs on a mock clock.

    `start` is what it tells when first asked; None: the machine's own time.
    """

    def __init__(self, start: float | None = 1_700_000_000.0) -> None:
        self._start = start
        self._zero: float | None = None

    def time(self) -> float:
        import anyio

        now = anyio.current_time()
        if self._start is None:
            self._start = time.time()
        if self._zero is None:
            self._zero = now
        return self._start + (now - self._zero)


def rfc3339(seconds: float) -> str:
    """A point in time (seconds since the epoch) as the APIs write it: UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
