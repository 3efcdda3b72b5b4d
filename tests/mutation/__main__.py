"""`make mutate`: changes the modules that decide, one line at a time, and runs their tests.

`python -m tests.mutation [MODULE]...` takes modules below `score_flyio`, such as `score.overrides`
or `deploy.planning`, and replaces their figures in `docs/mutation.md`. Without any it takes all.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mutmut.__main__ import cli
from mutmut.configuration import config

from tests.mutation.figures import PAGE, figures, rows_of, source, table, with_figures
from tests.mutation.mutants import Mutant, Named, mutants, named
from tests.mutation.operators import add_operators

WORK: Final = Path("mutants")
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
    page = PAGE.read_text()
    rows = (rows_of(page) if arguments else {}) | figures(found)
    rows = {module: row for module, row in rows.items() if source(module)}
    PAGE.write_text(with_figures(page, rows))
    for module in (module for module, row in rows.items() if row.source != source(module)):
        print(f"changed since the run that its figures are of: {module}")
    return report(found, named())


def files_of(module: str) -> tuple[str, str]:
    """Patterns of the files of a module below `score_flyio`, or of a package of them."""
    path = f"src/score_flyio/{module.replace('.', '/')}"
    return f"{path}.py", f"{path}/*.py"


def report(found: Sequence[Mutant], known: Sequence[Named]) -> int:
    """Prints the table, the survivors that nobody named and the names of no survivor."""
    rows = figures(found)
    print("\n".join(table(rows)))
    survivors = [mutant for mutant in found if not mutant.caught]
    unnamed = [mutant for mutant in survivors if not any(name.means(mutant) for name in known)]
    stale = [
        name
        for name in known
        if name.module in rows and not any(name.means(mutant) for mutant in survivors)
    ]
    for mutant in unnamed:
        print(f"\nsurvived: {mutant.name} ({mutant.ended})\n  {mutant.change}")
    for name in stale:
        print(f"\nnamed, but did not survive: {name.module}.{name.function}\n  {name.change}")
    return 1 if unnamed or stale or any(row.share < LEAST for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
