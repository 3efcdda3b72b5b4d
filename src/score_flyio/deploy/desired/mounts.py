"""`[[mounts]]` in a machine config, and what an update keeps of the present ones."""

from __future__ import annotations

from copy import deepcopy

from fly_machines.models import FlyMachineMount
from score_flyio.base.record import evolve
from score_flyio.flytoml.spec import AppSpec, Mount
from score_flyio.flytoml.values import volume_gb


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
