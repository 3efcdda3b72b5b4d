"""The board of a run, redrawn in place on a terminal."""

from collections.abc import Callable
from typing import Final

from score_flyio.base.record import define, field
from score_flyio.cli.output import on_terminal
from score_flyio.cli.render import layout
from score_flyio.cli.render.board import Board
from score_flyio.cli.render.plain import PlainRenderer
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


@define(eq=False)
class LiveRenderer:
    """Keeps a board below the lines that last: warnings, failures, where it goes, how it ended."""

    _stream: Sink
    _now: Callable[[], float] = field(kw_only=True)
    _color: bool = field(default=False, kw_only=True)
    _plain: PlainRenderer = field(init=False)
    _board: Board = field(factory=Board, init=False)
    _drawn: int = field(default=0, init=False)
    _drawn_at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._plain = PlainRenderer(self._stream)
        self._stream.make_room = self._erase

    def handle(self, event: Event) -> None:
        columns, _ = self._stream.size()
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
        size, now = self._stream.size(), self._now()
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
