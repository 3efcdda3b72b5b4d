"""The volume of a machine: which one it gets, and that it keeps it."""

from __future__ import annotations

from fly_emulator.records import App, Json, MachineRecord, VolumeRecord
from fly_emulator.wire import Refusal
from fly_emulator.world import World


def keep_mounts(
    world: World,
    app: App,
    config: Json,
    codes: tuple[str, ...] | None,
    *,
    machine: MachineRecord | None = None,
) -> tuple[VolumeRecord | None, Json]:
    """The volume that a config mounts, and the config with the volume's id filled in.

    `codes` are the regions that a new machine may be in; None: where its volume is. For an update
    (`machine` given) the volume must be the one that the machine has.

    Raises:
        Refusal: There is no such volume, it is in use or elsewhere, or an update changes it.
    """
    mounts = config.get("mounts") or []
    if machine is not None:
        _check_kept(machine, mounts)
        return None, config
    if not mounts:
        return None, config
    volume = _find(world, app, mounts[0], codes)
    if volume.attached_machine_id is not None:
        raise Refusal(
            412, f"volume {volume.id} is already attached to {volume.attached_machine_id}"
        )
    if codes is not None and volume.region not in codes:
        raise Refusal(400, f"volume {volume.id} is in {volume.region}, not in {', '.join(codes)}")
    return volume, {**config, "mounts": [{**mounts[0], "volume": volume.id}]}


def attach(world: World, machine: MachineRecord) -> None:
    """Give a new machine the volume that its config names."""
    for mount in machine.config.get("mounts") or ():
        world.volumes[mount["volume"]].attached_machine_id = machine.id


def _find(world: World, app: App, mount: Json, codes: tuple[str, ...] | None) -> VolumeRecord:
    wanted = mount.get("volume")
    living = [volume for volume in world.volumes_of(app) if volume.deleted_at is None]
    for volume in living:
        if volume.id == wanted:
            return volume
        if wanted is None and volume.name == mount.get("name") and _is_free(volume, codes):
            return volume
    raise Refusal(404 if wanted else 422, f"volume not found: {wanted or mount.get('name')}")


def _is_free(volume: VolumeRecord, codes: tuple[str, ...] | None) -> bool:
    return volume.attached_machine_id is None and (codes is None or volume.region in codes)


def _check_kept(machine: MachineRecord, mounts: list[Json]) -> None:
    before = [mount.get("volume") for mount in machine.config.get("mounts") or ()]
    after = [mount.get("volume") for mount in mounts]
    if before != after:
        raise Refusal(
            400, f"invalid config.mounts: volumes cannot be changed from {before} to {after}"
        )
