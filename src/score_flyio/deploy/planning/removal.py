"""What takes machines away, and an app: machines, volumes, addresses, then the app itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.app_step import CreateVolume, DestroyApp, DestroyVolume, ReleaseAddress
from score_flyio.deploy.condition import Condition, condition
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.holding import hold_steps
from score_flyio.deploy.planning.new_machine import is_free, volumes_of
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step


def removal_steps(observed: ObservedApp, *, keep_volumes: bool = False) -> tuple[Step, ...]:
    """All of it, in order; with `keep_volumes` the app stays, for volumes belong to an app."""
    if not observed.exists:
        return ()
    every = (*observed.machines, *observed.others, *observed.leftovers)
    machines = [machine.id or "" for machine in every]
    gone = [
        DestroyMachine.of(machine, reason="the app is destroyed").after("hold")
        for machine in machines
    ]
    before = tuple(step.id for step in gone)
    steps: list[Step] = [*hold_steps(every, machines, everything=True), *gone]
    steps += [
        ReleaseAddress(id=f"release:{address.ip}", address=address.ip or "", needs=before)
        for address in observed.addresses
    ]
    if not keep_volumes:
        steps += [
            DestroyVolume(id=f"volume:{volume.id}", volume=volume.id or "", needs=before)
            for volume in observed.volumes
        ]
        needs = tuple(step.id for step in steps)
        steps.append(DestroyApp(id="app", app=observed.name, needs=needs))
    return tuple(steps)


def end_of(machine: models.Machine, group: str, reason: str) -> DestroyMachine:
    """The end of a machine without a successor, which may be answering somebody."""
    serves = condition(machine, checks=False) is Condition.RUNS
    return evolve(DestroyMachine.of(machine.id or "", group=group, reason=reason), serves=serves)


def left_behind(observed: ObservedApp, steps: Sequence[Step]) -> tuple[str, ...]:
    """A note for each volume that no new machine takes, though its own goes or its host is lost."""
    gone = {step.target.machine for step in steps if isinstance(step, DestroyMachine)}
    taken = {
        mount.volume
        for step in steps
        if isinstance(step, CreateMachine)
        for mount in step.config.mounts or []
    }
    known = {volume.id: volume for volume in observed.volumes}
    new = [step.request for step in steps if isinstance(step, CreateVolume)]
    return (
        *(
            f"volume {name}{_facts(known.get(name))} of machine {machine.id} stays, in no machine, "
            "and is billed"
            for machine in observed.machines
            if machine.id in gone
            for name in volumes_of(observed, machine)
            if name not in taken
        ),
        *(
            f"volume {volume.id}{_facts(volume)} is on a host that is {volume.host_status}: it "
            "stays, in no machine, and a new, empty one is made"
            for volume in observed.volumes
            if not (volume.attached_machine_id or is_free(volume))
            and any((n.name, n.region) == (volume.name, volume.region) for n in new)
        ),
    )


def _facts(volume: models.Volume | None) -> str:
    return "" if volume is None else f" ({volume.name}, {volume.size_gb} GB, {volume.region})"
