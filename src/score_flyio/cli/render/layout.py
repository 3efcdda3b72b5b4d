"""Text laid out for a terminal's width by rich, which is loaded only where there is a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from score_flyio.base.printable import one_line

_STYLES: Final = {
    "done": "green",
    "provisioned": "green",
    "unchanged": "green",
    "failed": "red",
    "unhealthy": "red",
    "interrupted": "yellow",
}
"""By the first word of what is told of a row."""
_WHOLE: Final = 20
"""Characters of a column that is not wrapped: ids, names, states and times stay whole."""


def lines(part: str | Table, *, columns: int, color: bool = False) -> list[str]:
    """The lines that show a text or a table in so many columns; none for an empty one."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=columns,
        force_terminal=True,
        color_system="standard" if color else None,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    if part and (isinstance(part, str) or part.rows):
        console.print(part)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def board(rows: Sequence[tuple[str, str, str]], columns: int) -> Table:
    """Rows of label, state and time, each on one line: the state gives way."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, max_width=columns // 2, overflow="ellipsis")
    grid.add_column()
    grid.add_column(no_wrap=True)
    for label, state, seconds in rows:
        first, *_ = (*state.replace(":", " ").split(), "")
        style = _STYLES.get(first, "")
        told = Text(state, style, no_wrap=True, overflow="ellipsis")
        grid.add_row(Text(label), told, Text(seconds))
    return grid


def table(header: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> str:
    """Rows under a header in so many columns; what does not fit goes on in the next line."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title, *column in zip(header, *cells, strict=True):
        whole = max(map(len, (title, *column))) <= _WHOLE
        grid.add_column(title, no_wrap=whole, overflow="fold", header_style="")
    for row in cells:
        grid.add_row(*map(Text, row))
    return "\n".join(lines(grid, columns=columns))
