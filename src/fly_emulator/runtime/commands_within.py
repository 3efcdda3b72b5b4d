"""Commands that are executed in machines that run: where their process is, with what it finds."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from fly_emulator.exec_local import LocalExecRunner
from fly_emulator.programs import Programs
from fly_emulator.records import Json, MachineRecord
from fly_emulator.runtime.runtime import Runtime
from fly_emulator.wire import Execution


@frozen
class CommandsWithin(LocalExecRunner):
    """An `ExecRunner` for the machines of a runtime."""

    runtime: Runtime = field(kw_only=True)

    async def run(self, execution: Execution) -> Json:
        """Run the command beside the machine's process; in a machine without one, play it."""
        if not self.runtime.folder(execution.machine).is_dir():
            return await Programs().run(execution)
        return await super().run(execution)

    def folder(self, machine: MachineRecord) -> Path:
        """The folder of the machine's process."""
        return self.runtime.folder(machine)

    def environment(self, machine: MachineRecord) -> dict[str, str]:
        """The variables of the machine's process."""
        return self.runtime.environment(machine, self.runtime.ports(machine))
