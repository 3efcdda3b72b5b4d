"""Runs the commands that are executed in machines on this computer.

A command gets the environment that it would have in its machine: the app's secrets, the `env` of
the machine's config, the variables of the platform, and of this computer only what it is given.
There is no isolation beyond that: it is for tests and demonstrations that trust what they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio
from attrs import field, frozen

from fly_emulator.images import image_of
from fly_emulator.process import NOT_FOUND, ended
from fly_emulator.records import Json, MachineRecord
from fly_emulator.wire import Execution
from fly_emulator.world import World

TIMED_OUT = 124
"""Exit code that shells give for a program that did not end in time."""


@frozen
class LocalExecRunner:
    """An `ExecRunner` for the machines of `world`: `emulator.exec_runner = LocalExecRunner(…)`."""

    world: World
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    """Variables besides the machine's own, such as PATH; they take precedence."""

    async def run(self, execution: Execution) -> Json:
        """Run the command, for at most its own time limit."""
        try:
            with anyio.fail_after(execution.timeout):
                done = await anyio.run_process(
                    execution.command,
                    input=execution.stdin.encode(),
                    env=self.environment(execution.machine),
                    cwd=self.folder(execution.machine),
                    check=False,
                )
        except TimeoutError:
            return ended(TIMED_OUT, stderr=f"timed out after {execution.timeout:g} s")
        except OSError as error:
            return ended(NOT_FOUND, stderr=f"{execution.command[0]}: {error.strerror}")
        signal = max(-done.returncode, 0)
        out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        code = 128 + signal if signal else done.returncode
        return {**ended(code, stdout=out, stderr=err), "exit_signal": signal}

    def folder(self, machine: MachineRecord) -> Path | None:  # noqa: ARG002 - for others
        """Where commands are run; None: where the emulator is."""
        return None

    def environment(self, machine: MachineRecord) -> dict[str, str]:
        app = self.world.apps.get(machine.app)
        secrets = {s.name: s.value for s in app.secrets.values()} if app else {}
        env = machine.config.get("env") or {}
        own = {**env, **secrets} if self.world.settings.secrets_over_env else {**secrets, **env}
        return {
            **own,
            "FLY_APP_NAME": machine.app,
            "FLY_MACHINE_ID": machine.id,
            "FLY_ALLOC_ID": machine.id,
            "FLY_MACHINE_VERSION": machine.instance_id,
            "FLY_REGION": machine.region,
            "FLY_PRIVATE_IP": machine.private_ip,
            **_of_config(machine.config),
            **self.environ,
        }


def _of_config(config: Json) -> dict[str, str]:
    """What a machine is told of its own config."""
    found = {
        "FLY_IMAGE_REF": image_of(config),
        "FLY_PROCESS_GROUP": (config.get("metadata") or {}).get("fly_process_group"),
        "FLY_VM_MEMORY_MB": (config.get("guest") or {}).get("memory_mb"),
    }
    return {name: str(value) for name, value in found.items() if value}
