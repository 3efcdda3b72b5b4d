"""Commands of machines, run on this computer."""

from __future__ import annotations

from typing import Any

import pytest

from fly_emulator import Emulator
from fly_emulator.exec_local import TIMED_OUT, LocalExecRunner
from fly_emulator.process import NOT_FOUND
from fly_emulator.records import App, MachineRecord, SecretRecord, Version
from fly_emulator.wire import Execution


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """With real clocks: a mock clock does not wait for processes."""
    return str(request.param)


@pytest.fixture
def runner() -> LocalExecRunner:
    emulator = Emulator()
    app = App(id="a", name="app", organization="personal", number=1, created_at=0, visible_at=0)
    for name, value in (("PASSWORD", "s3cr3t"), ("BOTH", "secret")):
        app.secrets[name] = SecretRecord(
            name=name, value=value, digest="", created_at=0, updated_at=0
        )
    emulator.world.apps["app"] = app
    return LocalExecRunner(emulator.world, {"PATH": "/usr/bin:/bin"})


def machine() -> MachineRecord:
    config = {
        "image": "nginx:1",
        "guest": {"memory_mb": 512},
        "metadata": {"fly_process_group": "web"},
        "env": {"LEVEL": "debug", "BOTH": "config"},
    }
    return MachineRecord(
        id="m1",
        name="n",
        app="app",
        region="lhr",
        host="h",
        private_ip="fdaa::1",
        created_at=0,
        updated_at=0,
        visible_at=0,
        number=1,
        versions=[Version(instance_id="v", config=config, created_at=0)],
    )


async def run(runner: LocalExecRunner, *command: str, stdin: str = "", limit: float = 30) -> Any:
    execution = Execution(machine=machine(), command=command, stdin=stdin, timeout=limit)
    return await runner.run(execution)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSWORD", "s3cr3t"),
        ("LEVEL", "debug"),
        ("BOTH", "config"),
        ("FLY_APP_NAME", "app"),
        ("FLY_MACHINE_ID", "m1"),
        ("FLY_ALLOC_ID", "m1"),
        ("FLY_MACHINE_VERSION", "v"),
        ("FLY_REGION", "lhr"),
        ("FLY_PRIVATE_IP", "fdaa::1"),
        ("FLY_IMAGE_REF", "nginx:1"),
        ("FLY_PROCESS_GROUP", "web"),
        ("FLY_VM_MEMORY_MB", "512"),
        ("HOME", ""),
    ],
)
async def test_a_command_has_the_environment_of_its_machine(
    runner: LocalExecRunner, variable: str, value: str
) -> None:
    result = await run(runner, "/bin/sh", "-c", f'printf %s "${variable}"')
    assert (result["exit_code"], result["stdout"]) == (0, value)


async def test_input_output_and_exit_code(runner: LocalExecRunner) -> None:
    result = await run(runner, "/bin/sh", "-c", "cat; echo bad >&2; exit 3", stdin="in")
    assert (result["exit_code"], result["stdout"], result["stderr"]) == (3, "in", "bad\n")


async def test_a_signal_is_told(runner: LocalExecRunner) -> None:
    result = await run(runner, "/bin/sh", "-c", "kill -9 $$")
    assert (result["exit_code"], result["exit_signal"]) == (137, 9)


async def test_a_program_that_is_missing(runner: LocalExecRunner) -> None:
    assert (await run(runner, "/not/there"))["exit_code"] == NOT_FOUND


async def test_a_command_ends_at_its_time_limit(runner: LocalExecRunner) -> None:
    assert (await run(runner, "/bin/sleep", "60", limit=0.01))["exit_code"] == TIMED_OUT
