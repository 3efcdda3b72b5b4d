"""What every simulation runs on and tells: an event loop in no real time, and a trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import trio
from attrs import define
from trio.testing import MockClock

from score_flyio.events import Event, to_json

T = TypeVar("T")


def play(seed: int, simulation: Callable[[], Awaitable[T]], *, longest: float) -> T:
    """One simulation in an event loop of its own, of so many simulated seconds at most.

    Trio mixes up the order of tasks on purpose; here the order comes from the seed.
    """

    async def limited() -> T:
        with anyio.fail_after(longest):
            return await simulation()

    internals = vars(trio._core._run)
    internals["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    internals["_r"].seed(seed)
    return trio.run(limited, clock=MockClock(autojump_threshold=0))


@define(kw_only=True)
class Traced:
    """What can be watched line by line."""

    trace: Callable[[str], None] | None = None

    def _say(self, text: str) -> None:
        if self.trace is not None:
            self.trace(text)

    def _say_event(self, event: Event, who: str = "") -> None:
        if self.trace is not None:
            document = to_json(event)
            told = (f"{name}={v}" for name, v in document.items() if name not in {"seq", "at"})
            self.trace(f"{who} {anyio.current_time():9.3f} {' '.join(told)}".lstrip())
