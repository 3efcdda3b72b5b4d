"""The world as a JSON document, and in a file: a line with all of it, then one for each change.

A change costs what changed, however much there is. When the lines of changes have become longer
than the world, and when the emulator ends, it is one line again. Readable by its owner only.

Several processes may use one file: who changes the world first takes over what others did to it,
under a lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cattrs

from fly_emulator.process import ProcessModel, marked_process
from fly_emulator.records import Json
from fly_emulator.settings import EmulatorSettings
from fly_emulator.world import KEPT, Kept, World
from score_flyio.base.atomic import write_atomically
from score_flyio.base.folder_lock import locked
from score_flyio.errors import StateCorrupt, StateTooNew

FORMAT: Final = 1
_KEYS: Final = {"apps": "name", "machines": "id", "volumes": "id", "hosts": "id", "clusters": "id"}
"""What is kept record by record, and what tells one record from another."""
FEW: Final = 1 << 20
"""Bytes of changes that are never too many."""


class WorldFile:
    """Keeps a world in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.touched: set[str] = set()
        """Ids of machines that may have changed since they were written."""
        self._kept: Json = {}
        """The document that the file holds, its records by their keys."""
        self._read: tuple[int, int] | None = None
        """Which file the world is from, and how much of it."""
        self._whole = 0
        """Length of its first line."""

    def load(self, settings: EmulatorSettings, model: ProcessModel) -> World | None:
        """The world in the file, if there is one.

        Raises StateCorrupt and, for what a newer version wrote, StateTooNew.
        """
        try:
            with self.path.open("rb") as file:
                inode, content = os.fstat(file.fileno()).st_ino, file.read()
            text = content.decode().lstrip()
            document, end = json.JSONDecoder().raw_decode(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise self._corrupt(str(error)) from error
        version = document.get("format") if isinstance(document, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise StateTooNew(
                f"{self.path}: written in format {version}, known is {FORMAT}",
                hint="use the newer version of score-flyio that wrote it",
            )
        # What a process was writing when it was killed, or is writing now, has no end of line.
        *lines, cut = text[end:].split("\n")
        try:
            found = _by_keys(document)
            for line in filter(None, lines):
                _take(found, json.loads(line))
            world = restore(_listed(found), settings, model)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._corrupt(str(error)) from error
        self._kept, self._whole = found, end
        self._read = (inode, len(content) - len(cut.encode()))
        self.touched.clear()
        return world

    def _corrupt(self, reason: str) -> StateCorrupt:
        return StateCorrupt(
            f"{self.path}: not a world of the emulator: {reason}",
            hint="restore the file, or delete it to begin with an empty platform",
        )

    @contextmanager
    def changing(self, world: World, *, last: bool = False) -> Iterator[None]:
        """Bring the world up to date, and keep what becomes of it, alone meanwhile.

        What raises inside is not kept. After the `last` change the file is one document.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.path.with_name(f".{self.path.name}.lock")):
            self.refresh(world)
            yield
            self._keep(world, last=last)

    def refresh(self, world: World) -> None:
        """Take over what another process made of the world."""
        found = self._found()
        if found is not None and found != self._read:
            newer = self.load(world.settings, world.model)
            if newer is not None:
                world.become(newer)

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_size)

    def _keep(self, world: World, *, last: bool) -> None:
        known, self._read = self._read, None  # what cannot be written now is written whole later
        self.touched |= world.changed
        change = self._change(_parts(world, self.touched))
        line = json.dumps(change, separators=(",", ":")).encode() + b"\n" if change else b""
        most = self._whole if last else self._whole + max(FEW, self._whole)
        if known is None or known != self._found() or known[1] + len(line) > most:
            self._write(world)
            return
        if line:
            with self.path.open("ab", buffering=0) as file:
                file.write(line)
        self._read = (known[0], known[1] + len(line))
        self.touched.clear()

    def _write(self, world: World) -> None:
        found = _parts(world)
        content = json.dumps(_listed(found), separators=(",", ":")).encode() + b"\n"
        write_atomically(self.path, content, durable=False)
        self._kept, self._whole, self._read = found, len(content), self._found()
        self.touched.clear()

    def _change(self, found: Json) -> Json:
        """What the file lacks: of records, those that differ; null for those that are gone."""
        change: Json = {}
        for name, value in found.items():
            if name not in _KEYS:
                if value != self._kept.get(name):
                    change[name] = value
                continue
            kept: Json = self._kept.setdefault(name, {})
            gone = (
                kept.keys() & self.touched if name == "machines" else kept.keys()
            ) - value.keys()
            present = {**value, **dict.fromkeys(gone)}
            if differing := {k: one for k, one in present.items() if one != kept.get(k)}:
                change[name] = differing
        _take(self._kept, change)
        return change


def _take(kept: Json, change: Json) -> None:
    """Let a change be in a document whose records are by keys."""
    for name, value in change.items():
        if name not in _KEYS:
            kept[name] = value
            continue
        for key, record in value.items():
            if record is None:
                kept[name].pop(key, None)
            else:
                kept[name][key] = record


def dump(world: World) -> Json:
    """The world as a JSON document. It holds the values of secrets."""
    document: Json = json.loads(json.dumps(_listed(_parts(world))))
    return document


def _parts(world: World, machines: Collection[str] | None = None) -> Json:
    """What the world is made of, records by keys; of the `machines`, if given, only these.

    The world itself holds some of it.
    """
    kept = Kept(**{name: getattr(world, name) for name in KEPT})
    if machines is not None:
        kept.machines = {name: one for name, one in world.machines.items() if name in machines}
    return {"format": FORMAT, **_CONVERTER.unstructure(kept)}


def restore(
    document: Any, settings: EmulatorSettings, model: ProcessModel = marked_process
) -> World:
    """The world of a document made by `dump`. Raises ValueError: the document has another shape."""
    try:
        found = _by_keys(document)
        found.pop("format", None)
        kept = _CONVERTER.structure(found, Kept)
    except Exception as error:
        raise ValueError("; ".join(cattrs.transform_error(error))) from error
    if missing := [name for name in ("format", *KEPT) if name not in document]:
        raise ValueError(f"{missing[0]} is missing")
    _check_references(kept)
    return World(settings=settings, model=model, **{name: getattr(kept, name) for name in KEPT})


def _by_keys(document: Json) -> Json:
    """A document with its records by their keys."""
    return {
        name: {one[_KEYS[name]]: one for one in value} if name in _KEYS else value
        for name, value in document.items()
    }


def _listed(found: Json) -> Json:
    """The document whose records are these."""
    return {name: [*value.values()] if name in _KEYS else value for name, value in found.items()}


def _check_references(kept: Kept) -> None:
    """Raises ValueError where something is named that is not there."""
    for machine in kept.machines.values():
        if not machine.versions or "guest" not in machine.config:
            raise ValueError(f"machine {machine.id!r} has no config")
    for kind, records in (("machine", kept.machines), ("volume", kept.volumes)):
        for record in records.values():
            if record.app not in kept.apps:
                raise ValueError(
                    f"{kind} {record.id!r} is of app {record.app!r}, which is not there"
                )
            if record.host not in kept.hosts:
                raise ValueError(
                    f"{kind} {record.id!r} is on host {record.host!r}, which is not there"
                )
    for app in kept.apps.values():
        missing = ({*app.machines} - kept.machines.keys()) | ({*app.volumes} - kept.volumes.keys())
        if missing:
            raise ValueError(f"app {app.name!r} has {min(missing)!r}, which is not there")


_CONVERTER: Final = cattrs.Converter(
    forbid_extra_keys=True, unstruct_collection_overrides={set: sorted}
)
_CONVERTER.register_unstructure_hook_func(lambda kind: kind == Json, lambda document: document)
