"""Calls that have no answer yet, so that whoever shows progress can tell of one that hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    since: float
    told: bool = False


@define(eq=False)
class InFlight:
    """The calls under way of one run."""

    _calls: dict[int, _Call] = field(factory=dict)

    def add(self, what: str) -> _Call:
        """A call begins; `what` says which, without secrets."""
        call = _Call(what, anyio.current_time())
        self._calls[id(call)] = call
        return call

    def remove(self, call: _Call) -> None:
        """It ended."""
        del self._calls[id(call)]

    def hanging(self) -> Iterator[str]:
        """The calls that have no answer for long, each once."""
        now = anyio.current_time()
        for call in list(self._calls.values()):
            if not call.told and now - call.since >= HANGS_AFTER:
                call.told = True
                yield call.what


WATCHED: ContextVar[InFlight | None] = ContextVar("in_flight", default=None)
"""What this run's calls are added to; None: nobody looks."""


@contextmanager
def in_flight(what: str) -> Iterator[None]:
    """Around a call that is expected to be answered soon."""
    watched = WATCHED.get()
    if watched is None:
        yield
        return
    call = watched.add(what)
    try:
        yield
    finally:
        watched.remove(call)
