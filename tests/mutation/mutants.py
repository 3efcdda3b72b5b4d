"""What became of the mutants of a run, and which survivors are named with a reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

NAMED: Final = Path(__file__).with_name("survivors.toml")
CAUGHT: Final = {"killed": "tests", "caught by type check": "types", "timeout": "timeout"}
"""By mutmut's word for how a mutant ended: the column of the table that counts it."""


@frozen
class Mutant:
    """One change to one function."""

    name: str
    """As mutmut has it, for its `show` and `browse`."""
    module: str
    function: str
    ended: str
    """`tests`, `types` or `timeout`; anything else is a survivor."""
    change: str
    """The line before and after; empty where it was caught."""

    @property
    def caught(self) -> bool:
        return self.ended in CAUGHT.values()


@frozen
class Named:
    """Survivors that are known, and why they may be."""

    reason: str
    module: str = ""
    """Empty: any."""
    function: str = ""
    change: str = ""
    pattern: str = ""
    """A regular expression that is found in the change, where one reason does for many."""

    def means(self, mutant: Mutant) -> bool:
        """Whether it is about this mutant: numbers change with each edit, so lines are compared."""
        if self.pattern:
            return re.search(self.pattern, mutant.change) is not None
        return (self.module, self.function, self.change) == (
            mutant.module,
            mutant.function,
            mutant.change,
        )


def mutants() -> Iterator[Mutant]:
    """Those of the modules that are changed."""
    for path in walk_mutatable_files():
        module = ".".join(path.with_suffix("").parts[2:])
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            ended = CAUGHT.get(status_by_exit_code[code], status_by_exit_code[code])
            function, owner = orig_function_and_class_names_from_key(name)
            yield Mutant(
                name=name,
                module=module,
                function=f"{owner}.{function}" if owner else function,
                ended=ended,
                change="" if ended in CAUGHT.values() else _change(name, path),
            )


def _change(name: str, path: Path) -> str:
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return f"{before} → {after}".strip()


def named() -> list[Named]:
    """What `survivors.toml` names."""
    document = tomllib.loads(NAMED.read_text())
    return [Named(**entry) for entry in document["survivor"]]
