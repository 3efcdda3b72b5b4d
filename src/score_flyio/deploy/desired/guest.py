"""Sizes of machines: Fly's presets and what a `[[vm]]` table makes of them.

Presets and order of precedence: fly.toml reference and Machines API guest documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fly_machines.models import FlyMachineGuest
from score_flyio.base.counted import counted
from score_flyio.base.misspelt import alike
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.flytoml.spec import VmSpec
from score_flyio.flytoml.values import memory_mib
from score_flyio.flytoml.write import to_json

DEFAULT_SIZE: Final = "shared-cpu-1x"
DEFAULT_GPU_SIZE: Final = "performance-8x"
RELEASE_COMMAND_SIZE: Final = "shared-cpu-2x"

_GPU_KINDS: Final = {
    "a100-40gb": "a100-pcie-40gb",
    "a100-80gb": "a100-sxm4-80gb",
    "l40s": "l40s",
    "a10": "a10",
}


def _presets() -> dict[str, FlyMachineGuest]:
    presets = {}
    for count in (1, 2, 4, 6, 8):
        presets[f"shared-cpu-{count}x"] = FlyMachineGuest(
            cpu_kind="shared", cpus=count, memory_mb=256 * count
        )
    for count in (1, 2, 4, 6, 8, 10, 12, 14, 16):
        presets[f"performance-{count}x"] = FlyMachineGuest(
            cpu_kind="performance", cpus=count, memory_mb=2048 * count
        )
    for size, kind in _GPU_KINDS.items():
        presets[size] = FlyMachineGuest(
            cpu_kind="performance", cpus=8, memory_mb=32768, gpus=1, gpu_kind=kind
        )
    return presets


_PRESETS: Final = _presets()
SIZES: Final = tuple(_PRESETS)
"""Names of all presets."""
SIZES_BY_PROCESSORS: Final = {
    (guest.cpu_kind, guest.cpus, guest.gpu_kind): name for name, guest in _PRESETS.items()
}
"""Names of the presets by the kind and number of their CPUs, and the kind of their GPUs."""


@frozen
class _Family:
    """The combinations of CPUs and memory that machines of one kind can have."""

    cpus: tuple[int, ...]
    step: int
    """MiB."""
    least: int
    """MiB for each CPU."""
    most: int
    """MiB for each CPU."""


_FAMILIES: Final = {
    "shared": _Family((1, 2, 4, 6, 8), 256, 256, 2048),
    "performance": _Family((1, 2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128), 1024, 2048, 8192),
}
"""Fly's machine sizing documentation."""


def refuse_impossible(guest: FlyMachineGuest, *, place: str = "vm") -> None:
    """Holds a guest against the sizes that Fly has; those with a GPU are another matter."""
    family = _FAMILIES.get(guest.cpu_kind or "shared")
    if family is None:
        raise ConversionError(
            _key(place, "cpu_kind"),
            "unsupported_value",
            f"Fly has no CPUs of kind {guest.cpu_kind!r}",
            hint=f"use one of {', '.join(_FAMILIES)}",
        )
    if has_gpu(guest):
        return
    cpus, memory = guest.cpus or 1, guest.memory_mb or 0
    if cpus not in family.cpus:
        closest = min(family.cpus, key=lambda count: (abs(count - cpus), -count))
        raise ConversionError(
            _key(place, "cpus"),
            "impossible_size",
            f"Fly has no machine with {cpus} {guest.cpu_kind} CPUs",
            hint=f"the nearest is {closest}; there are {', '.join(map(str, family.cpus))}",
        )
    least, most = cpus * family.least, cpus * family.most
    if memory % family.step or not least <= memory <= most:
        below = memory // family.step * family.step
        near = sorted({min(max(size, least), most) for size in (below, below + family.step)})
        raise ConversionError(
            _key(place, "memory"),
            "impossible_size",
            f"{memory} MB are no memory of a machine with "
            f"{counted(cpus, f'{guest.cpu_kind} CPU')}, "
            f"which has {least} to {most} MB in steps of {family.step}",
            hint=f"use {' or '.join(f'{size}mb' for size in near)}"
            + _more_cpus(family, memory, most),
        )


def has_gpu(guest: FlyMachineGuest) -> bool:
    """Whether it is a size with graphics processors."""
    return bool(guest.gpus or guest.gpu_kind)


def _more_cpus(family: _Family, memory: int, most: int) -> str:
    if memory <= most:
        return ""
    enough = next((count for count in family.cpus if count * family.most >= memory), None)
    return f", or {enough} CPUs" if enough else ""


def _key(place: str, name: str) -> str:
    """A key of a table, or an option such as `--vm-memory`, where `place` is `--vm`."""
    option = f"{place}-{name.replace('_', '-')}"
    return option if place.startswith("-") else f"{place}.{name}"


def preset(size: str, *, place: str = "vm") -> FlyMachineGuest:
    """A new guest of a named size."""
    if size not in _PRESETS:
        raise ConversionError(
            _key(place, "size"),
            "unsupported_value",
            f"Fly has no machine size {size!r}",
            hint=f"use one of {', '.join(_near(size))}",
        )
    return evolve(_PRESETS[size], extra={})


def _near(size: str) -> Sequence[str]:
    """The sizes of the kind that is meant, by its first letters; else those spelled alike."""
    kinds = {"shared": "shared-cpu", "micro": "shared-cpu", "perf": "performance"}
    kinds |= {"dedicated": "performance"}
    family = next((kinds[start] for start in kinds if size.lower().startswith(start)), None)
    offered = [name for name in SIZES if name not in _GPU_KINDS]  # Fly refuses those
    same = [name for name in offered if name.rpartition("-")[0] == family]
    return same or alike(size, offered) or offered


def guest_of(vm: VmSpec, *, host_dedication_id: str = "", place: str = "vm") -> FlyMachineGuest:
    """The guest of a `[[vm]]` table: preset, then memory, then every other key that is given.

    `host_dedication_id` is the one of the whole app; the table's own wins over it.
    """
    size = vm.size or (DEFAULT_GPU_SIZE if vm.gpu_kind else DEFAULT_SIZE)
    guest = preset(size, place=place)
    if host_dedication_id:
        guest.host_dedication_id = host_dedication_id
    if vm.memory:
        guest.memory_mb = _memory(vm.memory, place)
    return evolve(guest, **to_json(evolve(vm, size="", memory="", processes=())))


def default_guest() -> FlyMachineGuest:
    """A new guest of the size of groups for which none is named."""
    return preset(DEFAULT_SIZE)


def _memory(text: str, place: str) -> int:
    try:
        size = memory_mib(text)
    except ValueError as error:
        raise ConversionError(
            _key(place, "memory"),
            "invalid_size",
            f"{text!r} is not a memory size",
            hint="write a number of MiB, or a number with a unit such as 512mb or 2gb",
        ) from error
    if size == 0:
        raise ConversionError(
            _key(place, "memory"),
            "zero",
            f"{text!r} comes out as 0 MiB of memory",
            hint="write at least 256mb; a number with a decimal point needs a unit",
        )
    return size
