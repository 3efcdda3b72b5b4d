"""What a process finds: ports of its own, its variables, and a folder with its files."""

from __future__ import annotations

import base64
import socket
from pathlib import Path, PurePosixPath

from fly_emulator.documents import named_checks
from fly_emulator.http import LOOPBACK
from fly_emulator.records import App, Json, MachineRecord


def own_ports(config: Json) -> dict[int, int]:
    """A free port of this computer for each port that services and checks name, in their order."""
    services = [service["internal_port"] for service in config.get("services") or ()]
    checks = [check.get("port") for check in named_checks(config, within_service=False).values()]
    wanted = dict.fromkeys(port for port in (*services, *checks) if isinstance(port, int))
    holders = [socket.create_server((LOOPBACK, 0)) for _ in wanted]
    try:
        return {port: holder.getsockname()[1] for port, holder in zip(wanted, holders, strict=True)}
    finally:
        for holder in holders:
            holder.close()


def variables(ports: dict[int, int], folder: Path) -> dict[str, str]:
    """What a process is told beside a machine's own variables: `PORT` is that of its service."""
    found = {f"PORT_{port}": str(own) for port, own in ports.items()}
    if ports:
        found["PORT"] = str(next(iter(ports.values())))
    return {**found, "FLY_EMULATOR_ROOT": str(folder)}


def prepare(folder: Path, volumes: Path, machine: MachineRecord, app: App | None) -> None:
    """Write the files of a machine below its folder, and link its volumes there."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in machine.config.get("files") or ():
        secret = app.secrets.get(file.get("secret_name") or "") if app else None
        raw = secret.value if secret else file.get("raw_value") or ""
        place = _below(folder, file["guest_path"])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(_decoded(raw))
    for mount in machine.config.get("mounts") or ():
        home = volumes / PurePosixPath(str(mount.get("volume"))).name
        home.mkdir(parents=True, exist_ok=True)
        place = _below(folder, mount["path"])
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(home, target_is_directory=True)


def _below(folder: Path, guest: str) -> Path:
    """A path of the machine as one below its folder, wherever it leads."""
    parts = [part for part in PurePosixPath(guest).parts if part not in {"/", "..", "."}]
    return folder.joinpath(*parts)


def _decoded(raw: str) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except ValueError:
        return raw.encode()
