"""What a well-behaved client never does, checked against the journal of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from fly_emulator.journal import JournalEntry
from fly_emulator.limits import rate_of
from fly_emulator.records import MachineRecord
from fly_emulator.world import World

MUTATIONS: Final = frozenset(
    {
        "Machines_update",
        "Machines_start",
        "Machines_stop",
        "Machines_suspend",
        "Machines_restart",
        "Machines_delete",
        "Machines_cordon",
        "Machines_uncordon",
    }
)
"""Calls that change one machine, which a lease keeps others from."""

_TOLERANCE: Final = 1e-6


def violations(entries: Iterable[JournalEntry], world: World | None = None) -> list[str]:
    """Every rule that the requests of a run broke, and everything wrong in the world after it."""
    kept = list(entries)
    found = [*_unheld(kept), *_overlapping(kept), *_over_rate(kept), *_leaks(kept)]
    return found + _inconsistent(world) if world is not None else found


def _name(entry: JournalEntry) -> str:
    return f"request {entry.seq} at {entry.at:.3f}: {entry.operation} {entry.path}"


def _unheld(entries: list[JournalEntry]) -> list[str]:
    """Changes of leased machines without the nonce of the lease."""
    return [
        f"{_name(entry)} without the nonce of the lease"
        for entry in entries
        if entry.operation in MUTATIONS and "lease currently held" in (entry.error or "")
    ]


def _overlapping(entries: list[JournalEntry]) -> list[str]:
    """Changes of one machine that were under way at the same time."""
    by_machine: dict[str, list[JournalEntry]] = defaultdict(list)
    for entry in entries:
        if entry.operation in MUTATIONS and entry.machine is not None:
            by_machine[entry.machine].append(entry)
    found: list[str] = []
    for changes in by_machine.values():
        changes.sort(key=lambda entry: (entry.at, entry.seq))
        last: JournalEntry | None = None
        for entry in changes:
            if last is not None and entry.at < last.at + last.took - _TOLERANCE:
                found.append(f"{_name(entry)} while request {last.seq} was under way")
            if last is None or entry.at + entry.took > last.at + last.took:
                last = entry
    return found


def _over_rate(entries: list[JournalEntry]) -> list[str]:
    """Requests refused for being over the documented rate."""
    return [
        f"{_name(entry)} over {rate_of(entry.operation).per_second:g} a second"
        for entry in entries
        if entry.status == 429 and not (entry.error or "").startswith("injected")
    ]


def _leaks(entries: list[JournalEntry]) -> list[str]:
    """Secret values outside the calls that set them."""
    return [
        f"{_name(entry)} shows the value of secret {name}"
        for entry in entries
        for name in entry.leaks
    ]


def _inconsistent(world: World) -> list[str]:
    """Records that contradict each other: a fault of the emulator itself."""
    found = [
        f"volume {volume.id} is attached to {volume.attached_machine_id}, which does not have it"
        for volume in world.volumes.values()
        if volume.attached_machine_id is not None
        and not _has(world, volume.attached_machine_id, volume.id)
    ]
    used: dict[str, int] = defaultdict(int)
    for machine in world.machines.values():
        if not machine.destroyed:
            used[machine.host] += _memory(machine)
    found += [
        f"host {host.id} has {host.used_mb} MiB in use, its machines have {used[host.id]}"
        for host in world.hosts.values()
        if host.used_mb != used[host.id]
    ]
    return found


def _has(world: World, machine: str, volume: str) -> bool:
    record = world.machines.get(machine)
    mounts = record.config.get("mounts") if record is not None and not record.destroyed else None
    return any(mount.get("volume") == volume for mount in mounts or ())


def _memory(machine: MachineRecord) -> int:
    return int(machine.config["guest"]["memory_mb"])
