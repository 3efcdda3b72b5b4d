"""What becomes of volumes: whatever a run leaves in no machine is named, and nothing replaces it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fly_emulator.world import World
from score_flyio.events import to_json
from tests.simulation.commands import Deploy, Rollback, Scale

if TYPE_CHECKING:
    from tests.simulation.simulate import RunRecord, Simulation


def attached(world: World) -> dict[str, str]:
    """By volume, the machine that has it."""
    return {
        volume.id: volume.attached_machine_id
        for volume in world.volumes.values()
        if volume.attached_machine_id and volume.deleted_at is None
    }


def left_behind(simulation: Simulation, record: RunRecord) -> list[str]:
    """Volumes whose machines the run destroyed, of which it said nothing, or made others of."""
    if not isinstance(record.plan.command, Deploy | Scale | Rollback) or record.killed:
        return []
    world = simulation.emulator.world
    entries = simulation.emulator.journal.entries[record.first_request :]
    gone = {entry.machine for entry in entries if entry.operation == "Machines_delete"}
    now = attached(world)
    left = [
        world.volumes[name]
        for name, machine in record.attached.items()
        if machine in gone
        and now.get(name) in {machine, None}
        and not world.volumes[name].deleted_at
    ]
    if not left:
        return []
    told = json.dumps([to_json(event) for event in record.events]) + "\n".join(record.told)
    new = {(v.app, v.name) for v in world.volumes.values() if v.created_at >= record.began}
    return [
        *(f"volume {v.id} was left behind without a word" for v in left if v.id not in told),
        *(
            f"volume {v.id} was left behind for a new, empty one"
            for v in left
            if (v.app, v.name) in new
        ),
    ]
