"""The board of a run, redrawn in place on a terminal."""

from collections.abc import Callable
from typing import Final

from score_flyio.cli.render import layout
from score_flyio.cli.render.board import Board
from score_flyio.cli.render.plain import PlainRenderer
from score_flyio.cli.render.plan import on_terminal
from score_flyio.cli.render.wording import is_alarm, sentence
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, RollbackStarted, TargetSelected

NARROWEST: Final = 50
"""Columns that the board needs; on a narrower terminal there are plain lines."""
_BETWEEN: Final = 0.1
"""Seconds between two drawings that only events ask for: a large run has thousands of them."""

_LASTING = (TargetSelected, RollbackStarted)
_END_OF_LINE: Final = "\x1b[K\n"
"""Each line wipes what is left of it: a screen wiped as a whole flickers, and some terminals keep
it in what can be scrolled back to."""
_CLEAR_BELOW: Final = "\x1b[J"


class LiveRenderer:
    """Keeps a board below the lines that last: warnings, failures, where it goes, how it ended.

    `size` gives the terminal's columns and lines.
    """

    def __init__(
        self,
        stream: Sink,
        *,
        now: Callable[[], float],
        size: Callable[[], tuple[int, int]] | None = None,
        color: bool = False,
    ) -> None:
        self._stream = stream
        self._now = now
        self._size = size or stream.size
        self._color = color
        self._plain = PlainRenderer(stream)
        self._board = Board()
        self._drawn = 0
        self._drawn_at = 0.0
        stream.make_room = self._erase

    def handle(self, event: Event) -> None:
        columns, _ = self._size()
        if columns < NARROWEST:
            self._erase()
            self._plain.handle(event)
            return
        self._board.handle(event)
        words = sentence(event) if is_alarm(event) or isinstance(event, _LASTING) else None
        line = None if words is None else self._plain.line(event, words)
        if self._stream.asks:
            self._stream.write("" if line is None else f"{line}\n")
        elif line or not self._drawn or self._now() - self._drawn_at >= _BETWEEN:
            self._draw(line)

    def tick(self) -> None:
        """Redraw, so that elapsed times go on while nothing happens."""
        if self._drawn:
            self._draw()

    def close(self) -> None:
        """The run is over: the board stays as it was last."""
        if self._drawn:
            self._draw()
        self._drawn, self._stream.make_room = 0, None

    def _draw(self, lasting: str | None = None) -> None:
        size, now = self._size(), self._now()
        width = size[0] - 1
        totals = layout.lines(self._board.totals(now), columns=width)
        cells = self._board.cells(now, max(1, size[1] - 2 - len(totals)))
        drawn = layout.lines(layout.board(cells, width), columns=width, color=self._color) + totals
        lines = on_terminal(lasting or "", color=False, columns=size[0]).splitlines() + drawn
        text = "".join(f"{line}{_END_OF_LINE}" for line in lines)
        self._stream.write_raw(f"{self._back()}{text}{_CLEAR_BELOW}")
        self._drawn, self._drawn_at = len(drawn), now

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write_raw(self._back() + _END_OF_LINE * self._drawn + self._back())
            self._drawn = 0

    def _back(self) -> str:
        return f"\x1b[{self._drawn}F" if self._drawn else ""
