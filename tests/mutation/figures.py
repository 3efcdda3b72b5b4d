"""The figures of runs, and the page that keeps them: each module's are those of its last run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.mutation.mutants import Mutant

PAGE: Final = Path("docs/mutation.md")
ENDS: Final = ("tests", "types", "timeout")
HEAD: Final = (
    "| module | mutants | tests | types | timeout | survived | caught | source |",
    "|---|--:|--:|--:|--:|--:|--:|---|",
)


@frozen
class Figures:
    """What became of the mutants of one module, or of all."""

    mutants: int
    ends: tuple[int, ...]
    """How many were caught, in the order of `ENDS`."""
    source: str = ""
    """The beginning of git's name of the text that was changed."""

    @property
    def survived(self) -> int:
        return self.mutants - sum(self.ends)

    @property
    def share(self) -> float:
        """Of the mutants that were caught."""
        return sum(self.ends) / self.mutants if self.mutants else 1.0


def figures(found: Iterable[Mutant]) -> dict[str, Figures]:
    """By module."""
    ended: dict[str, Counter[str]] = {}
    for mutant in found:
        ended.setdefault(mutant.module, Counter())[mutant.ended] += 1
    return {
        module: Figures(ends.total(), tuple(ends[end] for end in ENDS), source(module))
        for module, ends in sorted(ended.items())
    }


def source(module: str) -> str:
    """What stands in the table for the text of a module as it is now; empty where there is none."""
    path = Path(f"src/score_flyio/{module.replace('.', '/')}.py")
    if not path.exists():
        return ""
    text = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()[:8]


def table(rows: Mapping[str, Figures]) -> list[str]:
    """One row a module, and their sum, in Markdown."""
    ends = tuple(map(sum, zip(*(row.ends for row in rows.values()), strict=True)))
    every = Figures(sum(row.mutants for row in rows.values()), ends)
    return [*HEAD, *(_line(*row) for row in (*sorted(rows.items()), ("all", every)))]


def _line(module: str, row: Figures) -> str:
    cells = (module, row.mutants, *row.ends, row.survived, f"{row.share:.1%}", row.source)
    return f"| {' | '.join(map(str, cells))} |"


def rows_of(page: str) -> dict[str, Figures]:
    """By module, what the table of a page says."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    rows = {}
    for line in lines[len(HEAD) : -1]:
        module, mutants, *ends, _survived, _share, text = (c.strip() for c in line.split("|")[1:-1])
        rows[module] = Figures(int(mutants), tuple(map(int, ends)), text)
    return rows


def with_figures(page: str, rows: Mapping[str, Figures]) -> str:
    """The page with its table, which stands at its end, replaced."""
    text = "\n".join(line for line in page.splitlines() if not line.startswith("|"))
    return "\n".join((text.rstrip(), "", *table(rows))) + "\n"
