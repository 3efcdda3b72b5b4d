"""Sizes of machines: presets, and which combinations exist.

Rules from the public machine sizing page and the limits that flyctl applies.
"""

from __future__ import annotations

from typing import Any, Final

from fly_emulator.calls import want_integer
from fly_emulator.records import Json
from fly_emulator.wire import Refusal

_SHARED_CPUS: Final = (1, 2, 4, 6, 8)
_PERFORMANCE_CPUS: Final = (1, 2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128)
_DEFAULT: Final = {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}
_GPUS: Final = {
    "a10": "a10",
    "a100-40gb": "a100-pcie-40gb",
    "a100-80gb": "a100-sxm4-80gb",
    "l40s": "l40s",
}
"""Sizes with a graphics processor: which kind it is."""


def _guest(kind: str, cpus: int, memory_mb: int) -> Json:
    return {"cpu_kind": kind, "cpus": cpus, "memory_mb": memory_mb}


_SIZES: Final[dict[str, Json]] = {
    **{f"shared-cpu-{cpus}x": _guest("shared", cpus, 256 * cpus) for cpus in _SHARED_CPUS},
    **{f"performance-{n}x": _guest("performance", n, 2048 * n) for n in _PERFORMANCE_CPUS},
    **{
        name: {**_guest("performance", 8, 32_768), "gpus": 1, "gpu_kind": kind}
        for name, kind in _GPUS.items()
    },
}
"""The guests of all sizes that have a name, such as `shared-cpu-2x`."""


def presets() -> dict[str, Json]:
    """Sizes that are offered, with their guests."""
    return {name: guest for name, guest in _SIZES.items() if guest["cpus"] <= 16}


def complete(config: Json) -> Json:
    """The guest of a config: its `guest`, `size`, or the default. Raises Refusal: none is such."""
    guest, size = config.get("guest"), config.get("size")
    if size is not None and not guest:
        if str(size) not in _SIZES:
            raise Refusal(400, f"invalid config.size: {size!r} is not a machine size")
        return dict(_SIZES[str(size)])
    wanted = {**_DEFAULT, **{k: _whole(v) for k, v in (guest or {}).items() if v is not None}}
    if guest and "memory_mb" not in guest:
        wanted["memory_mb"] = _bounds(str(wanted["cpu_kind"]))[1] * _number(wanted, "cpus")
    _check(wanted)
    return wanted


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def memory_of(config: Json) -> int:
    """Memory that a machine of this config takes on its host."""
    guest: Json = config.get("guest") or _DEFAULT
    return int(guest.get("memory_mb") or 256)


def wanted_memory(guest: object, default: int) -> int:
    """Memory of a guest that a caller plans with, if it gave one. Raises Refusal: none is such."""
    if not guest:
        return default
    if not isinstance(guest, dict):
        raise Refusal(400, "invalid compute: an object is needed")
    return memory_of({"guest": complete({"guest": guest})})


def _bounds(kind: str) -> tuple[int, int, int]:
    """Step, least and most memory for each CPU."""
    return (256, 256, 2048) if kind == "shared" else (1024, 2048, 8192)


def _number(guest: Json, name: str) -> int:
    return want_integer(guest, name, below="config.guest.")


def _check(guest: Json) -> None:
    kind, cpus = guest["cpu_kind"], _number(guest, "cpus")
    if kind not in ("shared", "performance"):
        raise Refusal(400, f"invalid config.guest.cpu_kind: {kind!r}")
    if cpus not in (_SHARED_CPUS if kind == "shared" else _PERFORMANCE_CPUS):
        raise Refusal(422, f"invalid number of CPUs: {kind} machines cannot have {cpus}")
    memory, (step, least, most) = _number(guest, "memory_mb"), _bounds(kind)
    if memory % step or not least * cpus <= memory <= most * cpus:
        raise Refusal(
            422,
            f"invalid memory: {kind} machines with {cpus} CPUs have {least * cpus} to"
            f" {most * cpus} MiB in steps of {step}, not {memory}",
        )
