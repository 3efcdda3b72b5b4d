"""`python -m tests.browser.pictures`: the pictures of the README, of a run that is always the same."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from score_flyio.cli.render.board import Board
from score_flyio.cli.render.layout import board as laid_out
from tests.browser.chromium import chromium
from tests.browser.runs import Recorded, shop
from tests.meta.source import ROOT

PICTURES: Final = ROOT / "docs" / "pictures"
COLUMNS: Final = 96
MOMENT: Final = 0.36
"""The part of the run after which the board is drawn."""
COMMAND: Final = "score-flyio deploy shop.yaml mail.yaml admin.yaml"
FRAME: Final = """\
<svg class="rich-terminal" viewBox="0 16 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  line-height: {line_height}px }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
<rect y="16" fill="#0c0c0c" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own has a window around it, and a font from elsewhere."""


def board_picture(run: Recorded) -> str:
    """The board of a deploy on its way, as SVG."""
    board = Board()
    first, last = run.events[0].at, run.events[-1].at
    now = first + (last - first) * MOMENT
    for event in run.events:
        if event.at <= now:
            board.handle(event)
    console = Console(
        file=io.StringIO(),
        record=True,
        width=COLUMNS,
        force_terminal=True,
        color_system="standard",
        legacy_windows=False,
        highlight=False,
        _environ={},
    )
    console.print(Text(f"$ {COMMAND}", "bold"))
    console.print(laid_out(board.cells(now, 24), COLUMNS - 1))
    console.print(Text(board.totals(now)))
    return console.export_svg(code_format=FRAME, theme=MONOKAI, unique_id="board")


def report_picture(run: Recorded, file: Path) -> None:
    """The time line in the report of the same deploy, as a browser shows it."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(run.page, encoding="utf-8")
        with chromium(Path(folder, "profile")) as new_page:
            opened = new_page()
            opened.open(page.as_uri(), width=1000)
            opened.screenshot(file, "#timeline")


def main() -> None:
    """Make both anew."""
    PICTURES.mkdir(exist_ok=True)
    run = shop()
    (PICTURES / "board.svg").write_text(board_picture(run), encoding="utf-8")
    report_picture(run, PICTURES / "report.png")


if __name__ == "__main__":
    main()
