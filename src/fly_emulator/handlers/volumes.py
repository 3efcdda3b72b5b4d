"""Volumes and their snapshots."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from fly_emulator import documents, guests
from fly_emulator.calls import Call, Handler, want_integer, want_text
from fly_emulator.records import App, Host, Json, SnapshotRecord, VolumeRecord
from fly_emulator.wire import Outcome, Refusal

_NAME: Final = re.compile(r"[a-z0-9_]{1,30}")
_LARGEST_GB: Final = 500


def _create(call: Call) -> Outcome:
    app, body = call.app(), call.body()
    name = want_text(body, "name")
    if not _NAME.fullmatch(name):
        raise Refusal(400, f"invalid name: {name!r} may have lower-case letters, digits and _")
    source = _source(call, app, body)
    least = source.size_gb if source is not None else 1
    near = source.region if source is not None and source.host else call.settings.nearest
    region = str(body.get("region") or near)
    if call.settings.region(region) is None:
        raise Refusal(400, f"invalid region: {region!r} is not one region")
    host = _choose_host(call, app, body, source, name=name, region=region)
    volume = VolumeRecord(
        id=f"vol_{call.world.letters(16)}",
        name=name,
        app=app.name,
        region=region,
        host=host.id,
        zone=host.zone,
        size_gb=_size(body, least, max(least, call.settings.default_volume_gb)),
        created_at=call.now,
        number=call.world.number(),
        ready_at=call.now + call.settings.volume_ready,
        encrypted=body.get("encrypted") is not False,
        fstype=str(body.get("fstype") or "ext4"),
        snapshot_retention=_retention(body, 5),
        auto_backup_enabled=body.get("auto_backup_enabled") is not False,
    )
    call.world.volumes[volume.id] = volume
    app.volumes.append(volume.id)
    return _answer(call, volume)


def _answer(call: Call, volume: VolumeRecord) -> Json:
    return documents.volume_document(call.world, volume, call.now)


def _living(call: Call) -> VolumeRecord:
    volume = call.volume()
    if volume.deleted_at is not None:
        raise Refusal(404, f"volume not found: {volume.id}")
    return volume


@frozen
class _Source:
    """What a volume is made from; `host` is where a forked volume lives."""

    size_gb: int
    region: str
    host: str | None


def _source(call: Call, app: App, body: Json) -> _Source | None:
    """The volume that is copied, or the snapshot that is restored."""
    fork, snapshot = body.get("source_volume_id"), body.get("snapshot_id")
    for volume in call.world.volumes_of(app):
        if fork and volume.id == fork and volume.deleted_at is None:
            return _Source(volume.size_gb, volume.region, volume.host)
        for kept in volume.snapshots if snapshot else ():
            if kept.id == snapshot:
                return _Source(kept.volume_gb, volume.region, None)
    if fork or snapshot:
        raise Refusal(404, f"not found: {fork or snapshot}")
    return None


def _size(body: Json, least: int, default: int | None = None) -> int:
    size = want_integer(body, "size_gb", default)
    if not least <= size <= _LARGEST_GB:
        raise Refusal(422, f"invalid size_gb: {size} is not in {least} to {_LARGEST_GB}")
    return size


def _retention(body: Json, default: int) -> int:
    days = want_integer(body, "snapshot_retention", default)
    if not 1 <= days <= 60:
        raise Refusal(422, f"invalid snapshot_retention: {days} is not in 1 to 60")
    return days


def _choose_host(
    call: Call, app: App, body: Json, source: _Source | None, *, name: str, region: str
) -> Host:
    """A host with room for the machine to come, without a volume that must not be beside it."""
    memory = guests.wanted_memory(body.get("compute"), 0)
    unique = body.get("require_unique_zone") is not False
    app_wide = bool(body.get("unique_zone_app_wide"))
    taken = {
        other.host
        for other in call.world.living_volumes(app)
        if app_wide or (unique and other.name == name)
    }
    if source is not None and source.host is not None:
        taken.add(source.host)
    free = [host for host in call.world.free_hosts((region,), memory) if host.id not in taken]
    if not free:
        raise call.world.no_room(400, "no capacity")
    load = dict.fromkeys((host.id for host in free), 0)
    for other in call.world.volumes.values():
        if other.host in load and other.deleted_at is None:
            load[other.host] += 1
    return min(free, key=lambda host: (load[host.id], host.id))


def _list(call: Call) -> Outcome:
    deleted = call.settings.lists_deleted_volumes
    return [
        documents.volume_document(call.world, volume, call.now)
        for volume in call.world.volumes_of(call.app())
        if volume.deleted_at is None or (deleted and not volume.gone_at(call.now))
    ]


def _update(call: Call) -> Outcome:
    volume, body = _living(call), call.body()
    volume.snapshot_retention = _retention(body, volume.snapshot_retention)
    if body.get("auto_backup_enabled") is not None:
        volume.auto_backup_enabled = bool(body["auto_backup_enabled"])
    return _answer(call, volume)


def _extend(call: Call) -> Outcome:
    volume = _living(call)
    size = _size(call.body(), volume.size_gb)
    restart = size > volume.size_gb and volume.attached_machine_id is not None
    volume.size_gb = size
    needed = restart and call.settings.extend_needs_restart
    return {"volume": _answer(call, volume), "needs_restart": needed}


def _delete(call: Call) -> Outcome:
    volume = _living(call)
    if volume.attached_machine_id is not None:
        text = f"volume is currently bound to machine: {volume.attached_machine_id}"
        raise Refusal(412, f"failed_precondition: {text}")
    volume.deleted_at = call.now
    return _answer(call, volume)


def _snapshots(call: Call) -> Outcome:
    return [documents.snapshot_document(one) for one in reversed(call.volume().snapshots)]


def _snapshot(call: Call) -> Outcome:
    volume = _living(call)
    snapshot = SnapshotRecord(
        id=f"vs_{call.world.letters(16)}",
        created_at=call.now,
        volume_gb=volume.size_gb,
        digest=call.world.hexadecimal(64),
        retention_days=volume.snapshot_retention,
    )
    volume.snapshots.append(snapshot)
    backup = {"id": call.world.number(), "state": "created", "graph_id": snapshot.id}
    return {"Msg": {"backup": backup}}


HANDLERS: Final[dict[str, Handler]] = {
    "Volumes_create": _create,
    "Volumes_list": _list,
    "Volumes_get_by_id": lambda call: _answer(call, call.volume()),
    "Volumes_update": _update,
    "Volumes_extend": _extend,
    "Volume_delete": _delete,
    "Volumes_list_snapshots": _snapshots,
    "Volumes_create_snapshot": _snapshot,
}
