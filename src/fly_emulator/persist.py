"""The world in a file: JSON, written atomically, readable by its owner only."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Final

import cattrs
from attrs import define, field

from fly_emulator.images import Registries
from fly_emulator.process import ProcessModel, marked_process
from fly_emulator.records import App, Host, MachineRecord, TokenRecord, VolumeRecord
from fly_emulator.settings import EmulatorSettings
from fly_emulator.world import World
from score_flyio.errors import StateCorrupt, StateTooNew

FORMAT: Final = 1
_SHARE: Final = 20
"""Saving takes at most one part in so many of the time."""


@define(kw_only=True)
class _Saved:
    """What a file holds."""

    format: int
    sequence: int
    apps: list[App]
    machines: list[MachineRecord]
    volumes: list[VolumeRecord]
    hosts: list[Host]
    tokens: list[TokenRecord] = field(factory=list)
    registries: Registries = field(factory=Registries)


def dump(world: World) -> dict[str, Any]:
    """The world as a JSON document. It holds the values of secrets."""
    saved = _Saved(
        format=FORMAT,
        sequence=world.sequence,
        apps=list(world.apps.values()),
        machines=list(world.machines.values()),
        volumes=list(world.volumes.values()),
        hosts=list(world.hosts.values()),
        tokens=world.tokens,
        registries=world.registries,
    )
    document: dict[str, Any] = cattrs.unstructure(saved)
    return document


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
    return World(
        settings=settings,
        model=model,
        sequence=saved.sequence,
        apps={app.name: app for app in saved.apps},
        machines={machine.id: machine for machine in saved.machines},
        volumes={volume.id: volume for volume in saved.volumes},
        hosts={host.id: host for host in saved.hosts},
        tokens=saved.tokens,
        registries=saved.registries,
    )


_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)


class Keeper:
    """Keeps a world in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next = 0.0

    def load(self, settings: EmulatorSettings, model: ProcessModel) -> World | None:
        """The world in the file; None when there is no file.

        Raises:
            StateCorrupt: The file cannot be read.
            StateTooNew: It was written by a newer version.
        """
        try:
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

    def save(self, world: World) -> None:
        """Write the file: all of it or nothing."""
        content = json.dumps(dump(world), separators=(",", ":")).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def save_soon(self, world: World) -> None:
        """Save, unless that was done a moment ago and would take too much of the time."""
        began = time.perf_counter()
        if began < self._next:
            return
        self.save(world)
        ended = time.perf_counter()
        self._next = ended + (ended - began) * _SHARE
