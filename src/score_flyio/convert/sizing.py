"""`resources` of containers → the size of the machine.

Fly has shared CPUs in counts of 1, 2, 4, 6 and 8, with 256 to 2048 MiB of memory for each, in
steps of 256 MiB (Fly's machine sizing documentation). `MB` means MiB in a fly.toml.
"""

from __future__ import annotations

import math
import re
from typing import Final

from score_flyio.base.counted import counted
from score_flyio.base.record import frozen
from score_flyio.convert.draft import Draft
from score_flyio.flytoml.spec import VmSpec
from score_flyio.score.model import Compute

CPU_COUNTS: Final = (1, 2, 4, 6, 8)
STEP_MIB: Final = 256
_LEAST_MIB_A_CPU: Final = 256
_MOST_MIB_A_CPU: Final = 2048
_MIB: Final = 1024**2
_CPU: Final = re.compile(r"([0-9]+)(?:(m)|\.([0-9]+))?")
_MEMORY: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:([KMGTPE])(i?))?")
_LARGEST: Final = 2**63 - 1
_MOST_DIGITS: Final = 1000


@frozen
class Demand:
    """What a container, or several together, need."""

    milli_cpus: int = 0
    memory_bytes: int = 0

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.milli_cpus + other.milli_cpus, self.memory_bytes + other.memory_bytes)


class SizeError(ValueError):
    """No machine of Fly is that large; `hint` names what there is."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def vm_of_workload(draft: Draft) -> tuple[VmSpec, ...]:
    """The size that all containers together need; none where no container says anything."""
    containers = draft.workload.containers
    asked = {n: each.resources for n, each in containers.items() if each.resources is not None}
    if not asked:
        return ()
    total = Demand()
    for name, compute in asked.items():
        try:
            total += demand(compute)
        except ValueError as error:
            path = ("containers", name, "resources")
            draft.fail("resource_quantity_invalid", path, str(error))
    try:
        return (size_of(total),)
    except SizeError as error:
        only = (*containers, "resources") if len(containers) == 1 else ()
        draft.fail("resource_quantity_invalid", ("containers", *only), str(error), error.hint)
        return ()


def demand(compute: Compute) -> Demand:
    """The larger of requests and limits. Raises ValueError: a quantity cannot be read."""
    both = (compute.requests, compute.limits)
    cpus = [parse_cpu(each.cpu) for each in both if each.cpu is not None]
    memory = [parse_memory(each.memory) for each in both if each.memory is not None]
    return Demand(max(cpus, default=0), max(memory, default=0))


def size_of(demand: Demand) -> VmSpec:
    """The smallest machine that gives what is needed. Raises SizeError: Fly has none."""
    wanted = max(1, math.ceil(demand.milli_cpus / 1000))
    cpus = next((count for count in CPU_COUNTS if count >= wanted), None)
    if cpus is None:
        raise SizeError(
            f"{wanted} CPUs are more than a machine with shared CPUs has",
            f"the nearest is {CPU_COUNTS[-1]} CPUs; for more, deploy with "
            "--vm-cpu-kind performance and --vm-cpus",
        )
    memory = max(1, math.ceil(demand.memory_bytes / (STEP_MIB * _MIB))) * STEP_MIB
    memory = max(memory, cpus * _LEAST_MIB_A_CPU)
    if memory > cpus * _MOST_MIB_A_CPU:
        raise SizeError(
            f"{memory} MiB of memory are more than a machine with "
            f"{counted(cpus, 'shared CPU')} can have",
            _nearest(cpus, memory),
        )
    return VmSpec(cpus=cpus, memory=f"{memory}MB")


def _nearest(cpus: int, memory: int) -> str:
    most = f"at most {cpus * _MOST_MIB_A_CPU}Mi with cpu {cpus}"
    enough = next((count for count in CPU_COUNTS if count * _MOST_MIB_A_CPU >= memory), None)
    if enough is None:
        return f"ask for {most}; the largest is {CPU_COUNTS[-1] * _MOST_MIB_A_CPU}Mi with cpu 8"
    return f'ask for {most}, or for cpu "{enough}"'


def parse_cpu(text: str) -> int:
    """CPU quantity, such as `1.5` or `250m` → thousandths of a CPU, cut off. Raises ValueError."""
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a CPU quantity such as 0.5, 2 or 250m')
    whole, milli, decimals = match.groups(default="")
    return _bounded(whole, decimals, 1 if milli else 1000, text)[0]


def parse_memory(text: str) -> int:
    """Memory quantity, such as `512Mi` or `1.5G` → bytes, rounded up. Raises ValueError."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a memory quantity such as 512Mi, 1.5G or 256000000')
    whole, decimals, unit, binary = match.groups(default="")
    power = "KMGTPE".index(unit) + 1 if unit else 0
    value, rest = _bounded(whole, decimals, (1024 if binary else 1000) ** power, text)
    return value + (rest > 0)


def _bounded(whole: str, decimals: str, unit: int, text: str) -> tuple[int, int]:
    """`whole.decimals` units, cut off, and what was cut off in some smaller unit."""
    if len(whole) + len(decimals) > _MOST_DIGITS:
        raise ValueError("the quantity has too many digits; it is too large or too exact")
    value, rest = divmod(int(whole + decimals) * unit, 10 ** len(decimals))
    if value > _LARGEST:
        raise ValueError(f'"{text}" is too large')
    return value, rest
