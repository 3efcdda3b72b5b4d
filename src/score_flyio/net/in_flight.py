"""Calls that have no answer yet, so that whoever shows progress can tell of one that hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final

import anyio

from score_flyio.base.record import define, field

HANGS_AFTER: Final = 10.0
"""Seconds without an answer after which people want to know what is waited for."""
LOOKS: Final = 1.0
"""Seconds between looks for such calls."""


@define(eq=False)
class InFlight:
    """The calls under way of one run."""

    _calls: dict[object, tuple[str, float]] = field(factory=dict)
    """What each is, and since when; without those that were told."""

    @contextmanager
    def call(self, what: str) -> Iterator[None]:
        """What is under way while inside; `what` says which, without secrets."""
        key = object()
        self._calls[key] = what, anyio.current_time()
        try:
            yield
        finally:
            self._calls.pop(key, None)

    def hanging(self) -> Iterator[str]:
        """The calls that have no answer for long, each once."""
        now = anyio.current_time()
        for key, (what, since) in list(self._calls.items()):
            if now - since >= HANGS_AFTER:
                del self._calls[key]
                yield what


WATCHED: ContextVar[InFlight | None] = ContextVar("in_flight", default=None)
"""What this run's calls are added to; None: nobody looks."""


def in_flight(what: str) -> AbstractContextManager[None]:
    """Around a call that is expected to be answered soon."""
    watched = WATCHED.get()
    return nullcontext() if watched is None else watched.call(what)
