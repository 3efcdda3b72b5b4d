"""The world as a JSON document, and the world of such a document.

In a document records are lists. Whoever compares two worlds has the records by their keys.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

import cattrs

from fly_emulator.process import ProcessModel, marked_process
from fly_emulator.records import Json
from fly_emulator.settings import EmulatorSettings
from fly_emulator.world import KEPT, Kept, World

FORMAT: Final = 1
KEYS: Final = {"apps": "name", "machines": "id", "volumes": "id", "hosts": "id", "clusters": "id"}
"""What is kept record by record, and what tells one record from another."""


def dump(world: World) -> Json:
    """The world as a JSON document. It holds the values of secrets."""
    document: Json = json.loads(json.dumps(listed(parts(world))))
    return document


def parts(world: World, machines: Collection[str] | None = None) -> Json:
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
        found = by_keys(document)
        found.pop("format", None)
        kept = _CONVERTER.structure(found, Kept)
    except Exception as error:
        reasons = "; ".join(cattrs.transform_error(error))
        raise ValueError(reasons) from error
    if missing := [name for name in ("format", *KEPT) if name not in document]:
        raise ValueError(f"{missing[0]} is missing")
    _check_references(kept)
    return World(settings=settings, model=model, **{name: getattr(kept, name) for name in KEPT})


def by_keys(document: Json) -> Json:
    """A document with its records by their keys."""
    return {
        name: {one[KEYS[name]]: one for one in value} if name in KEYS else value
        for name, value in document.items()
    }


def listed(found: Json) -> Json:
    """The document whose records are these."""
    return {name: [*value.values()] if name in KEYS else value for name, value in found.items()}


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
