"""A platform on which the steps of plans are done, some or all, without time passing."""

from __future__ import annotations

import math
import random

from attrs import define, evolve, field

from fly_machines import models
from score_flyio.deploy.app_step import AllocateAddress, CreateVolume
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    DestroyMachine,
    SetMetadata,
    StartMachine,
    Step,
    StopMachine,
    UpdateMachine,
)
from tests.unit.deploy.planning.plans import made


@define(kw_only=True)
class Carried:
    """An app at Fly."""

    observed: ObservedApp
    """As it was at first."""
    machines: dict[str, models.Machine] = field(init=False)
    volumes: dict[str, models.Volume] = field(init=False)
    addresses: list[models.IPAssignment] = field(init=False)
    runs: int = 0
    new: dict[str, str] = field(factory=dict)
    """What the steps of the run made, by step."""

    def __attrs_post_init__(self) -> None:
        self.machines = {machine.id or "": machine for machine in self.observed.machines}
        self.volumes = {volume.id or "": volume for volume in self.observed.volumes}
        self.addresses = list(self.observed.addresses)

    @property
    def seen(self) -> ObservedApp:
        """As it is now."""
        machines = sorted(self.machines.values(), key=lambda machine: machine.id or "")
        return evolve(
            self.observed,
            machines=tuple(machines),
            volumes=tuple(self.volumes.values()),
            addresses=tuple(self.addresses),
        )

    def carry_out(
        self, plan: AppPlan, *, most: float = math.inf, rng: random.Random | None = None
    ) -> None:
        """As many of its steps as may be, in any order that their needs allow."""
        self.runs, self.new = self.runs + 1, {}
        names, done, left = {step.id for step in plan.steps}, set[str](), list(plan.steps)
        while left and len(done) < most:
            ready = [step for step in left if set(step.needs) & names <= done]
            step = rng.choice(ready) if rng else ready[0]
            left.remove(step)
            done.add(step.id)
            self._act(step)

    def _act(self, step: Step) -> None:
        match step:
            case CreateVolume():
                self._make_volume(step)
            case CreateMachine():
                self._make(step)
            case UpdateMachine():
                self._update(step)
            case DestroyMachine():
                self._destroy(self._id(step.target))
            case SetMetadata():
                machine = self.machines[self._id(step.target)]
                config = machine.config or models.FlyMachineConfig()
                metadata = {**(config.metadata or {}), step.key: step.value}
                config = evolve(config, metadata=metadata)
                self.machines[machine.id or ""] = evolve(machine, config=config)
            case StartMachine() | AwaitHealthy():
                self._enter(step.target, "started")
            case StopMachine():
                self._enter(step.target, "stopped")
            case AllocateAddress():
                address = "2a09::1" if step.kind == "v6" else "66.241.1.1"
                self.addresses.append(models.IPAssignment(ip=address, shared=True))
            case _:
                pass

    def _id(self, ref: Ref) -> str:
        return ref.machine or self.new[ref.step or ""]

    def _enter(self, ref: Ref, state: str) -> None:
        name = self._id(ref)
        self.machines[name] = evolve(self.machines[name], state=state)

    def _make_volume(self, step: CreateVolume) -> None:
        name = self.new[step.id] = f"{step.id}@{self.runs}"
        self.volumes[name] = models.Volume(
            id=name, name=step.request.name, region=step.request.region, state="created"
        )

    def _make(self, step: CreateMachine) -> None:
        name = self.new[step.id] = f"{step.id}@{self.runs}"
        targets = tuple(Ref(machine=self._id(target)) for target in step.standby_for)
        step = evolve(step, standby_for=targets)
        machine = made(step, {})
        config = machine.config or models.FlyMachineConfig()
        if step.volume_from is not None:
            first, *others = config.mounts or []
            first = evolve(first, volume=self.new[step.volume_from])
            config = evolve(config, mounts=[first, *others])
        for mount in config.mounts or []:
            volume = self.volumes[mount.volume or ""]
            assert volume.attached_machine_id is None, f"{mount.volume} is in two machines"
            self.volumes[mount.volume or ""] = evolve(volume, attached_machine_id=name)
        self.machines[name] = evolve(
            machine,
            id=name,
            config=config,
            instance_id=f"{name}-1",
            region=step.request.region,
            created_at=f"2026-11-26T10:{self.runs:02}:{len(self.new):02}Z",
        )

    def _update(self, step: UpdateMachine) -> None:
        machine, config = self.machines[step.machine], step.config
        if step.standby_for:
            config = evolve(config, standbys=[self._id(target) for target in step.standby_for])
        state = machine.state if step.request.skip_launch else "started"
        checks = [models.CheckStatus(name=n, status="passing") for n in config.checks or {}]
        version = f"{machine.instance_id}.{self.runs}"
        self.machines[step.machine] = evolve(
            machine, config=config, state=state, instance_id=version, checks=checks
        )

    def _destroy(self, name: str) -> None:
        del self.machines[name]
        for volume in self.volumes.values():
            if volume.attached_machine_id == name:
                self.volumes[volume.id or ""] = evolve(volume, attached_machine_id=None)
