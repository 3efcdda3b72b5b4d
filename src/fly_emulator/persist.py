"""The world in a file: JSON, written atomically, readable by its owner only.

Several processes may use one file: who changes the world reads it anew first, under a lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cattrs
from attrs import define, field

from fly_emulator.images import Registries
from fly_emulator.process import ProcessModel, marked_process
from fly_emulator.records import (
    App,
    ClusterRecord,
    Host,
    Json,
    MachineRecord,
    TokenRecord,
    VolumeRecord,
)
from fly_emulator.settings import EmulatorSettings
from fly_emulator.world import World
from score_flyio.base.atomic import write_atomically
from score_flyio.base.folder_lock import locked
from score_flyio.errors import StateCorrupt, StateTooNew

FORMAT: Final = 1


@define(kw_only=True)
class _Saved:
    """What a file holds."""

    format: int
    sequence: int
    ahead: float = 0.0
    apps: list[App]
    machines: list[MachineRecord]
    volumes: list[VolumeRecord]
    hosts: list[Host]
    unlisted: list[str] = field(factory=list)
    tokens: list[TokenRecord] = field(factory=list)
    clusters: list[ClusterRecord] = field(factory=list)
    registries: Registries = field(factory=Registries)


def dump(world: World) -> dict[str, Any]:
    """The world as a JSON document. It holds the values of secrets."""
    document: dict[str, Any] = json.loads(_content(world))
    return document


def _content(world: World) -> bytes:
    saved = _Saved(
        format=FORMAT,
        sequence=world.sequence,
        ahead=world.ahead,
        unlisted=sorted(world.unlisted),
        apps=list(world.apps.values()),
        machines=list(world.machines.values()),
        volumes=list(world.volumes.values()),
        hosts=list(world.hosts.values()),
        tokens=world.tokens,
        clusters=list(world.clusters.values()),
        registries=world.registries,
    )
    return json.dumps(_CONVERTER.unstructure(saved), separators=(",", ":")).encode()


def restore(
    document: Any, settings: EmulatorSettings, model: ProcessModel = marked_process
) -> World:
    """The world of a document made by `dump`.

    Raises:
        ValueError: The document has another shape.
    """
    try:
        saved = _CONVERTER.structure(document, _Saved)
    except Exception as error:
        reasons = "; ".join(cattrs.transform_error(error))
        raise ValueError(reasons) from error
    _check_references(saved)
    return World(
        settings=settings,
        model=model,
        sequence=saved.sequence,
        ahead=saved.ahead,
        unlisted=set(saved.unlisted),
        apps={app.name: app for app in saved.apps},
        machines={machine.id: machine for machine in saved.machines},
        volumes={volume.id: volume for volume in saved.volumes},
        hosts={host.id: host for host in saved.hosts},
        tokens=saved.tokens,
        clusters={cluster.id: cluster for cluster in saved.clusters},
        registries=saved.registries,
    )


def _check_references(saved: _Saved) -> None:
    """Raises ValueError where something is named that is not there."""
    apps, hosts = {app.name for app in saved.apps}, {host.id for host in saved.hosts}
    for machine in saved.machines:
        if not machine.versions or "guest" not in machine.config:
            msg = f"machine {machine.id!r} has no config"
            raise ValueError(msg)
    for kind, records in (("machine", saved.machines), ("volume", saved.volumes)):
        for record in records:
            if record.app not in apps:
                msg = f"{kind} {record.id!r} is of app {record.app!r}, which is not there"
                raise ValueError(msg)
            if record.host not in hosts:
                msg = f"{kind} {record.id!r} is on host {record.host!r}, which is not there"
                raise ValueError(msg)
    ids = ({machine.id for machine in saved.machines}, {volume.id for volume in saved.volumes})
    for app in saved.apps:
        missing = (set(app.machines) - ids[0]) | (set(app.volumes) - ids[1])
        if missing:
            msg = f"app {app.name!r} has {min(missing)!r}, which is not there"
            raise ValueError(msg)


_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)
_CONVERTER.register_unstructure_hook_func(lambda kind: kind == Json, lambda document: document)


class Keeper:
    """Keeps a world in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] | None = None
        """What tells the version of the file that the world is from."""

    def load(self, settings: EmulatorSettings, model: ProcessModel) -> World | None:
        """The world in the file; None when there is no file.

        Raises:
            StateCorrupt: The file cannot be read.
            StateTooNew: It was written by a newer version.
        """
        try:
            self._seen = self._version()
            document = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._corrupt(str(error)) from error
        version = document.get("format") if isinstance(document, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise StateTooNew(
                f"{self.path}: written in format {version}, known is {FORMAT}",
                hint="use the newer version of score-flyio that wrote it",
            )
        try:
            return restore(document, settings, model)
        except ValueError as error:
            raise self._corrupt(str(error)) from error

    def _corrupt(self, reason: str) -> StateCorrupt:
        return StateCorrupt(
            f"{self.path}: not a world of the emulator: {reason}",
            hint="restore the file, or delete it to begin with an empty platform",
        )

    @contextmanager
    def changing(self, world: World) -> Iterator[None]:
        """Bring the world up to date, and keep what becomes of it, alone meanwhile.

        What raises inside is not kept.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            self.refresh(world)
            yield
            write_atomically(self.path, _content(world), durable=False)
            self._seen = self._version()

    def refresh(self, world: World) -> None:
        """Take over what another process made of the world."""
        if self.path.exists() and self._version() != self._seen:
            newer = self.load(world.settings, world.model)
            if newer is not None:
                world.become(newer)

    def _version(self) -> tuple[int, ...]:
        found = self.path.stat()
        return (found.st_ino, found.st_mtime_ns, found.st_size)
