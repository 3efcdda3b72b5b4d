"""`[[mounts]]` in a machine config, what an update keeps of the present ones, and new volumes."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

from fly_machines.models import CreateVolumeRequest, FlyMachineGuest, FlyMachineMount
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.guest import default_guest, guest_of
from score_flyio.flytoml.groups import flatten, process_groups
from score_flyio.flytoml.spec import AppSpec, Mount
from score_flyio.flytoml.values import volume_gb

DEFAULT_SIZE_GB: Final = 1
DEFAULT_GPU_SIZE_GB: Final = 100


def machine_mounts(flat: AppSpec) -> list[FlyMachineMount] | None:
    """The mounts of a flattened app, without volume ids."""
    return [_mount(mount) for mount in flat.mounts] or None


def _mount(mount: Mount) -> FlyMachineMount:
    return FlyMachineMount(
        name=mount.source or None,
        path=mount.destination or None,
        extend_threshold_percent=mount.auto_extend_size_threshold or None,
        add_size_gb=_gigabytes(mount.auto_extend_size_increment),
        size_gb_limit=_gigabytes(mount.auto_extend_size_limit),
    )


def _gigabytes(text: str) -> int | None:
    return (volume_gb(text) or None) if text else None


def updated_mounts(
    wanted: list[FlyMachineMount] | None, present: list[FlyMachineMount] | None
) -> tuple[list[FlyMachineMount] | None, bool]:
    """What becomes of the mounts of a machine, and whether it is replaced for them.

    A volume cannot be attached to, or taken from, a machine that exists. Only the first mount has
    one.
    """
    if not wanted or not present:
        return wanted, bool(wanted or present)
    (first, *others), old = wanted, present[0]
    if old.name and old.name != first.name:
        return wanted, True
    return [_kept(first, old), *others], False


def _kept(wanted: FlyMachineMount, present: FlyMachineMount) -> FlyMachineMount:
    if present.name and wanted.path != present.path:
        return evolve(wanted, volume=present.volume)
    return evolve(
        deepcopy(present),
        extend_threshold_percent=wanted.extend_threshold_percent,
        add_size_gb=wanted.add_size_gb,
        size_gb_limit=wanted.size_gb_limit,
    )


def first_deploy_volumes(spec: AppSpec, *, image: str) -> list[CreateVolumeRequest]:
    """One request per mount and process group."""
    return [
        volume_request(spec, group, mount, image=image)
        for group in process_groups(spec)
        for mount in flatten(spec, group).mounts
    ]


def volume_request(
    spec: AppSpec,
    group: str,
    mount: Mount,
    *,
    image: str,
    guest: FlyMachineGuest | None = None,
    initial_size_gb: int | None = None,
) -> CreateVolumeRequest:
    """The request for a new volume of `mount`, placed where a machine of `group` has room."""
    flat = flatten(spec, group)
    compute = deepcopy(guest) or default_guest()
    if flat.vm:
        compute = guest_of(flat.vm[0], host_dedication_id=flat.host_dedication_id)
    default = DEFAULT_GPU_SIZE_GB if compute.gpu_kind else DEFAULT_SIZE_GB
    return CreateVolumeRequest(
        name=mount.source,
        region=spec.primary_region,
        size_gb=volume_gb(mount.initial_size) if mount.initial_size else initial_size_gb or default,
        encrypted=True,
        compute=compute,
        compute_image=image,
        snapshot_retention=mount.snapshot_retention,
        auto_backup_enabled=mount.scheduled_snapshots,
    )
