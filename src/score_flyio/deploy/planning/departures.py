"""What machines that go leave behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fly_machines import models
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step


def left_behind(observed: ObservedApp, steps: Sequence[Step]) -> tuple[str, ...]:
    """A note for each volume whose machine goes while no new one takes it."""
    gone = {step.target.machine for step in steps if isinstance(step, DestroyMachine)}
    taken = {
        mount.volume
        for step in steps
        if isinstance(step, CreateMachine)
        for mount in step.config.mounts or []
    }
    known = {volume.id: volume for volume in observed.volumes}
    return tuple(
        f"volume {name}{_facts(known.get(name))} of machine {machine.id} stays, in no machine, and "
        "is billed"
        for machine in observed.machines
        if machine.id in gone
        for name in _volumes_of(observed, machine)
        if name not in taken
    )


def _volumes_of(observed: ObservedApp, machine: models.Machine) -> tuple[str, ...]:
    config = machine.config or machine.incomplete_config or models.FlyMachineConfig()
    named = [mount.volume for mount in config.mounts or [] if mount.volume]
    attached = [v.id for v in observed.volumes if v.id and v.attached_machine_id == machine.id]
    return tuple(dict.fromkeys((*named, *attached)))


def _facts(volume: models.Volume | None) -> str:
    return "" if volume is None else f" ({volume.name}, {volume.size_gb} GB, {volume.region})"
