"""The board of a run, redrawn in place on a terminal."""

import shutil
from collections.abc import Callable
from typing import Final

from score_flyio.base.printable import printable
from score_flyio.cli.render.board import Board
from score_flyio.cli.render.plain import PlainRenderer
from score_flyio.cli.render.wording import is_alarm, sentence
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, RollbackStarted, TargetSelected

NARROWEST: Final = 50
"""Columns that the board needs; on a narrower terminal there are plain lines."""

_LASTING = (TargetSelected, RollbackStarted)
_CLEAR_BELOW = "\x1b[J"


class LiveRenderer:
    """Keeps a board below the lines that last: warnings, failures, where it goes, how it ended.

    Args:
        stream: the terminal.
        now: wall-clock time in seconds since the epoch, for elapsed times.
        size: gives the terminal's columns and lines.
    """

    def __init__(
        self,
        stream: Sink,
        *,
        now: Callable[[], float],
        size: Callable[[], tuple[int, int]] = shutil.get_terminal_size,
    ) -> None:
        self._stream = stream
        self._now = now
        self._size = size
        self._plain = PlainRenderer(stream)
        self._board = Board()
        self._drawn = 0
        stream.make_room = self._erase

    def handle(self, event: Event) -> None:
        columns, _ = self._size()
        if columns < NARROWEST:
            self._erase()
            self._plain.handle(event)
            return
        self._board.handle(event)
        words = sentence(event)
        lasting = words is not None and (is_alarm(event) or isinstance(event, _LASTING))
        self._draw(self._plain.line(event, words) if lasting and words is not None else None)

    def tick(self) -> None:
        """Redraw, so that elapsed times go on while nothing happens."""
        if self._drawn:
            self._draw(None)

    def close(self, outcome: str | None = None) -> None:
        """The run is over: the board stays as it was last, and `outcome` comes under it."""
        if self._drawn:
            self._draw(None)
        self._drawn, self._stream.make_room = 0, None
        self._plain.close(outcome)

    def _draw(self, lasting: str | None) -> None:
        columns, rows = self._size()
        now = self._now()
        totals = self._board.totals(now, columns - 1)
        lines = self._board.lines(now, columns - 1, max(1, rows - 2 - bool(totals)))
        lines += [totals] if totals else []
        above = [lasting] if lasting else []
        text = "".join(f"{line}\n" for line in [*above, *lines])
        self._stream.write_raw(self._back() + _CLEAR_BELOW + printable(text))
        self._drawn = len(lines)

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write_raw(self._back() + _CLEAR_BELOW)
            self._drawn = 0

    def _back(self) -> str:
        return f"\x1b[{self._drawn}F" if self._drawn else ""
