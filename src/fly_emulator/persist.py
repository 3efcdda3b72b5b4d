"""The world as a JSON document, and the world of such a document."""

from __future__ import annotations

import json
from collections.abc import Collection
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
from fly_emulator.world import KEPT, World

FORMAT: Final = 1
_KEYS: Final = {"apps": "name", "machines": "id", "volumes": "id", "hosts": "id", "clusters": "id"}
"""What is kept record by record, and what tells one record from another."""


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


def dump(world: World) -> Json:
    """The world as a JSON document. It holds the values of secrets."""
    document: Json = json.loads(json.dumps(unstructured(world)))
    return document


def unstructured(world: World, machines: Collection[str] | None = None) -> Json:
    """The same, with parts that the world itself holds; of the `machines`, if given, only these."""
    kept = {name: getattr(world, name) for name in KEPT}
    kept |= {name: list(kept[name].values()) for name in _KEYS}
    kept["unlisted"] = sorted(world.unlisted)
    if machines is not None:
        kept["machines"] = [world.machines[name] for name in world.machines if name in machines]
    document: Json = _CONVERTER.unstructure(_Saved(format=FORMAT, **kept))
    return document


def restore(
    document: Any, settings: EmulatorSettings, model: ProcessModel = marked_process
) -> World:
    """The world of a document made by `dump`. Raises ValueError: the document has another shape."""
    try:
        saved = _CONVERTER.structure(document, _Saved)
    except Exception as error:
        reasons = "; ".join(cattrs.transform_error(error))
        raise ValueError(reasons) from error
    _check_references(saved)
    kept = {name: getattr(saved, name) for name in KEPT}
    for name, key in _KEYS.items():
        kept[name] = {getattr(one, key): one for one in kept[name]}
    return World(settings=settings, model=model, **{**kept, "unlisted": set(saved.unlisted)})


def _check_references(saved: _Saved) -> None:
    """Raises ValueError where something is named that is not there."""
    apps, hosts = {app.name for app in saved.apps}, {host.id for host in saved.hosts}
    for machine in saved.machines:
        if not machine.versions or "guest" not in machine.config:
            raise ValueError(f"machine {machine.id!r} has no config")
    for kind, records in (("machine", saved.machines), ("volume", saved.volumes)):
        for record in records:
            if record.app not in apps:
                raise ValueError(
                    f"{kind} {record.id!r} is of app {record.app!r}, which is not there"
                )
            if record.host not in hosts:
                raise ValueError(
                    f"{kind} {record.id!r} is on host {record.host!r}, which is not there"
                )
    ids = ({machine.id for machine in saved.machines}, {volume.id for volume in saved.volumes})
    for app in saved.apps:
        missing = (set(app.machines) - ids[0]) | (set(app.volumes) - ids[1])
        if missing:
            raise ValueError(f"app {app.name!r} has {min(missing)!r}, which is not there")


_CONVERTER: Final = cattrs.Converter(forbid_extra_keys=True)
_CONVERTER.register_unstructure_hook_func(lambda kind: kind == Json, lambda document: document)
