"""What all events have in common, and the log that numbers them and hands them to listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeAlias

from score_flyio.base.record import evolve, field, frozen


@frozen(kw_only=True)
class Scope:
    """What an event is about: the parts that apply."""

    workload: str | None = None
    """Name of the workload."""
    app: str | None = None
    """Name of the app."""
    resource: str | None = None
    """Uid of the resource."""
    group: str | None = None
    """Process group."""
    machine: str | None = None
    """Machine id."""
    step: str | None = None
    """Id of a step of the plan."""

    @classmethod
    def of_app(cls, app: str, label: str, **parts: str | None) -> Scope:
        """That of an app whose label is its workload, or its own name where it has none."""
        return cls(workload=label if label != app else None, app=app, **parts)


@frozen(kw_only=True)
class Event:
    """Base of all events; `seq` is gapless within a run, `at` is in seconds since the epoch."""

    kind: ClassVar[str] = "event"
    """Stable name of the class, for the JSON form: that of `StepStarted` is `step_started`."""
    seq: int = 0
    """Number within the run, without gaps."""
    at: float = 0.0
    """Seconds since the epoch."""
    scope: Scope = field(factory=Scope)
    """What it is about: app, machine, workload, resource."""

    def __init_subclass__(cls) -> None:
        if "kind" not in vars(cls):
            cls.kind = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__)[1:]


Listener: TypeAlias = Callable[[Event], None]


def to_json(event: Event) -> dict[str, Any]:
    """The event as a JSON document: `kind`, `seq`, `at`, the scope's parts, then its own fields."""
    import attrs  # takes a tenth of a command that writes no events

    scope = {k: v for k, v in attrs.asdict(event.scope).items() if v is not None}
    fields = attrs.asdict(event, filter=lambda a, _: a.name not in {"seq", "at", "scope"})
    own = {k: v for k, v in fields.items() if v is not None}
    return {"kind": event.kind, "seq": event.seq, "at": event.at, **scope, **own}


class EventLog:
    """Numbers and stamps events and hands them to listeners."""

    def __init__(self, now: Callable[[], float], *listeners: Listener) -> None:
        self._now = now
        self._listeners = list(listeners)
        self._seq = 0
        self._end: Callable[[], None] | None = None
        self._raised: tuple[Listener, Exception] | None = None

    def listen(self, listener: Listener) -> None:
        """One more listener, called after those there are; a new run begins: `seq` starts anew."""
        self._listeners.append(listener)
        self._seq = 0

    def unlisten(self, listener: Listener) -> None:
        """The listener is called no more."""
        self._listeners.remove(listener)

    def emit(self, event: Event) -> None:
        """Number and stamp an event, and hand it to the listeners."""
        self._seq += 1
        stamped = evolve(event, seq=self._seq, at=self._now())
        for listener in tuple(self._listeners):
            if self._raised is not None and self._raised[0] is listener:
                continue
            try:
                listener(stamped)
            except Exception as error:
                if self._end is None:
                    raise
                self._raised = self._raised or (listener, error)
                self._end()

    @contextmanager
    def ended_by_listeners(self, end: Callable[[], None]) -> Iterator[None]:
        """While the block runs, a listener that raises calls `end`, and is told nothing more.

        What it raised is raised once the block has ended in order: an event is told in the middle
        of work, where an error would lose what was just done.
        """
        self._end = end
        ended_by: Exception | None = None
        try:
            yield
        except Exception as error:
            if self._raised is None:
                raise
            ended_by = error
        finally:
            raised, self._raised, self._end = self._raised, None, None
        if raised is not None:
            raise raised[1] from ended_by
