"""The page of faults: their syntax, and the operations that rules name."""

from __future__ import annotations

from fly_emulator import faults
from fly_machines import OPERATIONS
from website.markdown import code, docstring, table


def page() -> str:
    """What `--faults` and `parse_faults` take."""
    lines = [
        "# Faults of the emulator",
        "`score-flyio emulator serve --faults SPEC`, and `parse_faults(SPEC)` in tests.",
        docstring(faults),
        "## Examples",
        table(
            ["Rule", "What happens"],
            [
                ["`503 p=0.1; seed=7`", "a tenth of all calls fails, always the same ones"],
                ["`changes: lost times=1`", "the first change is made, and its answer gets lost"],
                ["`Machines_wait: hang`", "no wait is ever answered"],
                ["`Machines_create: 422 skip=2 times=1`", "the third machine is refused"],
                ["`latency=0.2..1`", "each answer takes between 0.2 and 1 second more"],
            ],
        ),
        "## Operations",
        table(
            ["Operation", "Call"],
            [
                [code(each.id), code(f"{each.method} {each.path}")]
                for each in sorted(OPERATIONS, key=lambda operation: operation.id)
            ],
        ),
    ]
    return "\n\n".join(lines) + "\n"
