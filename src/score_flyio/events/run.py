"""The frame of a run: its start, its target, its end and that of each workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from score_flyio.base.record import define, frozen
from score_flyio.events.base import Event, Listener


@frozen(kw_only=True)
class RunStarted(Event):
    """The first event of a run: which command, for which workloads or apps."""

    command: str
    """What the user ran."""
    workloads: tuple[str, ...] = ()
    """Names of workloads and apps that it is about."""


@frozen(kw_only=True)
class TargetSelected(Event):
    """Where the run goes: the first thing a person must know."""

    target: str
    """Where the run goes, as `Target.name` tells it."""
    emulated: bool = False
    """Whether nothing leaves this computer."""


@frozen(kw_only=True)
class WorkloadFinished(Event):
    """One workload is through, whether or not the others are."""

    outcome: str
    """How it ended."""
    error: str | None = None
    """What went wrong."""
    seconds: float = 0.0
    """Seconds that it took."""


@frozen(kw_only=True)
class RunFinished(Event):
    """The last event of a run, whatever came of it."""

    outcome: str
    """`done`, `unchanged`, `failed`, `unhealthy` or `interrupted`."""
    seconds: float = 0.0
    """Seconds that it took."""


@define
class Frame:
    """How the run ends: the block says so once it knows."""

    outcome: str = "interrupted"


@contextmanager
def run_frame(
    emit: Listener, command: str, workloads: Sequence[str], *, now: Callable[[], float]
) -> Iterator[Frame]:
    """Tells the beginning and, whatever came of the block, the end; `now` gives seconds."""
    start = now()
    emit(RunStarted(command=command, workloads=tuple(workloads)))
    frame = Frame()
    try:
        yield frame
    except Exception:
        frame.outcome = "failed"
        raise
    finally:
        emit(RunFinished(outcome=frame.outcome, seconds=now() - start))
