"""`make mutate`: changes the modules that decide, one line at a time, and runs their tests.

`python -m tests.mutation [MODULE]...` takes modules below `score_flyio`, such as `score.overrides`
or `deploy.planning`. Without any it takes all, and writes the figures into `docs/mutation.md`.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mutmut.__main__ import cli
from mutmut.configuration import config

from tests.mutation.mutants import Mutant, Named, mutants, named
from tests.mutation.operators import add_operators

WORK: Final = Path("mutants")
PAGE: Final = Path("docs/mutation.md")
ENDS: Final = ("tests", "types", "timeout")
LEAST: Final = 0.9
"""The share of mutants of each module that must be caught."""


def main(arguments: Sequence[str]) -> int:
    """0 when enough mutants of each module are caught, and every other one is named."""
    shutil.rmtree(WORK, ignore_errors=True)
    add_operators()
    if arguments:
        config().only_mutate = [pattern for module in arguments for pattern in files_of(module)]
    cli(["run"], standalone_mode=False)
    found = list(mutants())
    if not arguments:
        PAGE.write_text(with_figures(PAGE.read_text(), table(found)))
    return report(found, named())


def files_of(module: str) -> tuple[str, str]:
    """Patterns of the files of a module below `score_flyio`, or of a package of them."""
    path = f"src/score_flyio/{module.replace('.', '/')}"
    return f"{path}.py", f"{path}/*.py"


def with_figures(page: str, figures: Sequence[str]) -> str:
    """The page with its table, which stands at its end, replaced."""
    text = "\n".join(line for line in page.splitlines() if not line.startswith("|"))
    return "\n".join((text.rstrip(), "", *figures)) + "\n"


def report(found: Sequence[Mutant], known: Sequence[Named]) -> int:
    """Prints the table, the survivors that nobody named and the names of no survivor."""
    print("\n".join(table(found)))
    survivors = [mutant for mutant in found if not mutant.caught]
    unnamed = [mutant for mutant in survivors if not any(name.means(mutant) for name in known)]
    modules = {mutant.module for mutant in found}
    stale = [
        name
        for name in known
        if name.module in modules and not any(name.means(mutant) for mutant in survivors)
    ]
    for mutant in unnamed:
        print(f"\nsurvived: {mutant.name} ({mutant.ended})\n  {mutant.change}")
    for name in stale:
        print(f"\nnamed, but did not survive: {name.module}.{name.function}\n  {name.change}")
    return 1 if unnamed or stale or any(share < LEAST for share in shares(found).values()) else 0


def shares(found: Iterable[Mutant]) -> dict[str, float]:
    """By module: the share of its mutants that was caught."""
    every, caught = Counter[str](), Counter[str]()
    for mutant in found:
        every[mutant.module] += 1
        caught[mutant.module] += mutant.caught
    return {module: caught[module] / count for module, count in sorted(every.items())}


def table(found: Sequence[Mutant]) -> list[str]:
    """One row a module, and their sum, in Markdown."""
    rows = {module: [m for m in found if m.module == module] for module in shares(found)}
    rows["all"] = list(found)
    lines = [
        "| module | mutants | tests | types | timeout | survived | caught |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for module, mine in rows.items():
        ended = Counter(mutant.ended for mutant in mine)
        caught = sum(ended[end] for end in ENDS)
        cells = [len(mine), *(ended[end] for end in ENDS), len(mine) - caught]
        share = caught / len(mine) if mine else 1.0
        lines.append(f"| {module} | {' | '.join(map(str, cells))} | {share:.1%} |")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
