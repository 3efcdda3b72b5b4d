"""One line an event: the log of a CI job, and what a pipe or a file gets."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from time import time
from typing import Final

from score_flyio.base.record import define, field
from score_flyio.cli.render.wording import detail, duration, is_alarm, sentence, subject
from score_flyio.cli.sink import Sink
from score_flyio.events import Event

SILENCE: Final = 15.0
"""Seconds without a line after which what goes on is told."""
SHOWN: Final = 3
"""So many things that go on are told; the others are counted."""
WORK: Final = frozenset({"step", "provisioning", "deprovisioning", "build"})
"""What starts and ends, by the start of the `kind` of its events."""


@define(eq=False)
class PlainRenderer:
    """Writes `TIME SUBJECT: WORDS` lines; with `debug`, of what only who looks for a fault wants.

    Times are local unless a `zone` is given.
    """

    _stream: Sink
    _now: Callable[[], float] = field(default=time, kw_only=True)
    _debug: bool = field(default=False, kw_only=True)
    _zone: tzinfo | None = field(default=None, kw_only=True)
    _going_on: dict[tuple[str, str], Event] = field(factory=dict, init=False)
    _written: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._written = self._now()

    def handle(self, event: Event) -> None:
        words = self.words(event)
        if words is not None:
            self._write(self.line(event, words))

    def words(self, event: Event) -> str | None:
        """What an event is told as, if at all; what goes on is kept in mind for `tick`."""
        self._follow(event)
        return sentence(event) or (detail(event) if self._debug else None)

    def tick(self) -> None:
        """Say what goes on when nothing was written for long: CI systems end a job that is mute."""
        now = self._now()
        silent = now - self._written < SILENCE or not self._going_on
        if silent or self._stream.asks:
            return
        started = sorted(self._going_on.values(), key=lambda event: event.at)
        told = [f"{_what(event)} ({duration(now - event.at)})" for event in started[:SHOWN]]
        more = [f"{len(started) - SHOWN} more"] if len(started) > SHOWN else []
        self._write(f"{self._time(now)} still waiting: {'; '.join((*told, *more))}")

    def _follow(self, event: Event) -> None:
        work, _, change = event.kind.rpartition("_")
        owner = event.scope.resource or event.scope.workload or event.scope.app or ""
        key = (owner, event.scope.step or work)
        if change == "started" and work in WORK:
            self._going_on[key] = event
        elif change in {"finished", "failed", "skipped"}:
            self._going_on.pop(key, None)

    def _write(self, line: str) -> None:
        self._written = self._now()
        self._stream.write(f"{line}\n")

    def line(self, event: Event, words: str) -> str:
        """One event as one line, whatever line breaks its words have."""
        level = "WARN " if is_alarm(event) else ""
        about = subject(event.scope)
        named = f"{about}: " if about else ""
        return " ".join(f"{self._time(event.at)} {level}{named}{words}".split())

    def _time(self, at: float) -> str:
        return datetime.fromtimestamp(at, tz=self._zone).strftime("%H:%M:%S")

    def close(self) -> None:
        """The run is over; nothing was kept."""


def _what(event: Event) -> str:
    about = subject(event.scope)
    words = (sentence(event) or detail(event) or event.kind).removesuffix(": started")
    return " ".join(f"{about}: {words}".split()) if about else words
