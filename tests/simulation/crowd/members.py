"""Which machines are part of the app of a crowd, and how they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from fly_emulator.records import MachineRecord
from fly_emulator.world import World
from tests.simulation.crowd.apps import APP
from tests.simulation.crowd.others import RESERVED
from tests.simulation.platform import group_of, healthy, living

if TYPE_CHECKING:
    from tests.simulation.crowd.run import CrowdRun

TAG = "fly_bluegreen_deployment_tag"


def metadata(machine: MachineRecord) -> dict[str, str]:
    """That of a machine."""
    found: dict[str, str] = machine.config.get("metadata") or {}
    return found


def is_member(machine: MachineRecord) -> bool:
    """Whether it is part of the running app, by flyctl's rule."""
    return (
        metadata(machine).get("fly_platform_version") == "v2"
        and group_of(machine.config) not in RESERVED
    )


def members(world: World) -> list[MachineRecord]:
    """The machines of the running app."""
    return [machine for machine in living(world, APP) if is_member(machine)]


def to_run(machine: MachineRecord) -> bool:
    """Whether it counts for its group: no standby, no canary, no green out of service."""
    marks = metadata(machine)
    return not (
        machine.config.get("standbys")
        or marks.get("fly_canary")
        or marks.get(TAG) == "safe_to_destroy"
    )


@frozen(kw_only=True)
class Before:
    """What was there when a command began."""

    machines: frozenset[str]
    """Ids of the machines of the app."""
    counts: Counter[str]
    """Machines that are to run, by group."""
    tidy: bool
    """Whether nothing of an interrupted run is there."""

    @classmethod
    def of(cls, run: CrowdRun) -> Before:
        found = members(run.emulator.world)
        runs = [m for m in found if to_run(m)]
        marked = any(TAG in metadata(m) or metadata(m).get("fly_canary") for m in found)
        standing = any(metadata(m).get("score_flyio_stands_for") for m in found)
        return cls(
            machines=frozenset(m.id for m in living(run.emulator.world, APP)),
            counts=Counter(group_of(m.config) for m in runs),
            tidy=not (marked or standing),
        )


def serves(machine: MachineRecord, at: float) -> bool:
    """Whether it runs, with its checks passing."""
    checked = machine.config.get("checks") or any(
        service.get("checks") for service in machine.config.get("services") or ()
    )
    return healthy(machine, at) if checked else machine.state == "started"


def volume_of(machine: MachineRecord) -> str | None:
    """The name of its volume."""
    mounts = machine.config.get("mounts") or []
    return mounts[0].get("name") if mounts else None
