"""The emulated platform on a port, with a real PostgreSQL server in its machines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from attrs import define

from fly_emulator import Emulator
from fly_emulator.records import Json
from fly_emulator.wire import Execution
from tests.integration.conftest import (
    QUICK,
    PostgresMachines,
    PostgresServer,
    postgres,
    running_postgres,
)

__all__ = ["postgres", "running_postgres"]


@define
class BrokenMachines:
    """Every command fails."""

    async def run(self, execution: Execution) -> Json:
        return {"exit_code": 1, "stdout": "", "stderr": "it does not work"}


@pytest.fixture
def emulator(postgres: PostgresServer) -> Iterator[Emulator]:
    with start_blocking_portal() as portal:
        emulator = Emulator(QUICK)
        path = f"{postgres.psql.parent}{os.pathsep}{os.environ['PATH']}"
        environ = {"PATH": path, "PGHOST": str(postgres.folder)}
        emulator.exec_runner = PostgresMachines(emulator.world, environ, server=postgres)
        with portal.wrap_async_context_manager(emulator.serve()):
            yield emulator


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `score-flyio` on PATH, as `provisioners add` looks for; it is never run."""
    path = tmp_path / "bin" / "score-flyio"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\nexit 99\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return path
