"""The programs of emulated machines, for commands that are executed in them.

No container runs anywhere: an emulated machine has the three programs that need none, and shells
that play their scripts. So what is made in a server by a script in its machine, such as a database,
seems to be made, and nothing can connect to it.
"""

from __future__ import annotations

import anyio.lowlevel

from fly_emulator.process import played_exit
from fly_emulator.records import Json
from fly_emulator.wire import Execution

NOT_FOUND = 127
"""Exit code that shells give for a program that is missing."""


class Programs:
    """An `ExecRunner` that knows `true`, `false`, `echo` and shells, and has nothing else."""

    async def run(self, execution: Execution) -> Json:
        """The outcome of the command; 127 for any other program."""
        await anyio.lowlevel.checkpoint()
        program, *words = execution.command or ("",)
        match program.rpartition("/")[2]:
            case "true":
                return ended(0)
            case "false":
                return ended(1)
            case "echo":
                return ended(0, stdout=" ".join(words) + "\n")
            case "sh" | "bash":
                return ended(played_exit(words[-1] if words else ""))
            case _:
                reason = "emulated machines have only true, false, echo and shells"
                return ended(NOT_FOUND, stderr=f"{program}: not found ({reason})\n")


def ended(exit_code: int, *, stdout: str = "", stderr: str = "") -> Json:
    """How a command ended, as it is answered."""
    return {"exit_code": exit_code, "exit_signal": 0, "stdout": stdout, "stderr": stderr}
