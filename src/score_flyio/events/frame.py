"""The frame of a run: `run_started` before all of its events, `run_finished` after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from score_flyio.base.record import define
from score_flyio.events.base import Listener
from score_flyio.events.run import RunFinished, RunStarted


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
