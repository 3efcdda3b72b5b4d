"""Volumes that the first deploy of an app needs."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

from fly_machines.models import CreateVolumeRequest, FlyMachineGuest
from score_flyio.deploy.desired.guest import default_guest, guest_of
from score_flyio.flytoml.groups import flatten, process_groups
from score_flyio.flytoml.spec import AppSpec, Mount
from score_flyio.flytoml.values import volume_gb

DEFAULT_SIZE_GB: Final = 1
DEFAULT_GPU_SIZE_GB: Final = 100


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
