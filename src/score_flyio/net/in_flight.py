"""Calls that have no answer yet, so that whoever shows progress can tell of one that hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Final

import anyio

from score_flyio.base.record import define, field

HANGS_AFTER: Final = 10.0
"""Seconds without an answer after which people want to know what is waited for."""
LOOKS: Final = 1.0
"""Seconds between looks for such calls."""


@define(eq=False)
class _Call:
    what: str
    among: dict[int, _Call]
    since: float = 0.0
    told: bool = False

    def __enter__(self) -> None:
        self.since = anyio.current_time()
        self.among[id(self)] = self

    def __exit__(self, *_: object) -> None:
        del self.among[id(self)]


@define(eq=False)
class InFlight:
    """The calls under way of one run."""

    _calls: dict[int, _Call] = field(factory=dict)

    def call(self, what: str) -> AbstractContextManager[None]:
        """What is under way while inside; `what` says which, without secrets."""
        return _Call(what, self._calls)

    def hanging(self) -> Iterator[str]:
        """The calls that have no answer for long, each once."""
        now = anyio.current_time()
        for call in list(self._calls.values()):
            if not call.told and now - call.since >= HANGS_AFTER:
                call.told = True
                yield call.what


WATCHED: ContextVar[InFlight | None] = ContextVar("in_flight", default=None)
"""What this run's calls are added to; None: nobody looks."""


def in_flight(what: str) -> AbstractContextManager[None]:
    """Around a call that is expected to be answered soon."""
    watched = WATCHED.get()
    return nullcontext() if watched is None else watched.call(what)
