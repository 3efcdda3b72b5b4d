"""What must not outlive this process, even where it ends at once and cleans up nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_UNDOING: Final[dict[object, Callable[[], None]]] = {}


@contextmanager
def undone_at_the_end(undo: Callable[[], None]) -> Iterator[None]:
    """Where the process ends at once while the block runs, `undo` is called, which may not wait."""
    key = object()
    _UNDOING[key] = undo
    try:
        yield
    finally:
        del _UNDOING[key]


def undo_all() -> None:
    """Right before the process ends: programs go before the files that they read."""
    for undo in reversed(list(_UNDOING.values())):
        with suppress(OSError):
            undo()
