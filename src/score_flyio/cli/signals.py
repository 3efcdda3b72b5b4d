"""The signals that end a command: what they do where no event loop takes them up."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn

INTERRUPTED: Final = 130
"""What a command that one of them ended ends with."""


def ending() -> list[signal.Signals]:
    """The signals that end a command: not that of a terminal that closes, under `nohup`."""
    known = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    hup = getattr(signal, "SIGHUP", None)
    outlives = hup is not None and signal.getsignal(hup) is signal.SIG_IGN
    return [one for one in known if one is not None and not (outlives and one is hup)]


@contextmanager
def handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """While the block runs, they are handled so, unless an event loop in it does."""
    before = {one: signal.signal(one, handler) for one in ending()}
    try:
        yield
    finally:
        for one, former in before.items():
            signal.signal(one, former)


@contextmanager
def ended_at_once() -> Iterator[None]:
    """While the block reads what somebody types, a signal ends it.

    An event loop would only take note of the signal, and go on once the line is there.

    Raises RunInterrupted.
    """
    loop = signal.set_wakeup_fd(-1)
    try:
        with handled(_end):
            yield
    finally:
        signal.set_wakeup_fd(loop)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    from score_flyio.errors import RunInterrupted

    raise RunInterrupted("interrupted")
