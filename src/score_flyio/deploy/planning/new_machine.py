"""New machines: what they are made from, and the volume that each mounts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy

from fly_machines import models
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.desired.guest import guest_of, has_gpu
from score_flyio.deploy.metadata import (
    ALL_SECRETS_SEEN,
    FORMER_GROUP,
    PASSING_KEYS,
    STAGED,
    STANDS_FOR,
    without_marks,
)
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.deploy.step import (
    CreateMachine,
    RunMachineCheck,
    RunReleaseCommand,
    Step,
    UpdateMachine,
)
from score_flyio.errors import ConfigError
from score_flyio.fly.present import LAUNCH_KEY, SENT_KEY, shown_config
from score_flyio.flytoml.spec import VmSpec

_OF_ANOTHER = PASSING_KEYS | {
    LAUNCH_KEY,
    SENT_KEY,
    STANDS_FOR,
    ALL_SECRETS_SEEN,
    STAGED,
    FORMER_GROUP,
}
"""Metadata that a machine has not in common with others of its group."""
GIVES_A_SIZE = (CreateMachine, UpdateMachine, RunReleaseCommand, RunMachineCheck)
"""Steps that ask for a machine of a size."""


@frozen(kw_only=True)
class Volumes:
    """The volumes of an app, of which each goes to one machine."""

    present: tuple[models.Volume, ...]
    taken: set[str]
    """Free ones that another new machine of the same plan gets."""
    new: Callable[[models.FlyMachineConfig], models.CreateVolumeRequest]
    """Gives the request for one more, for a machine of a config, wherever that is."""
    default_region: str = ""
    """Of machines that name none, unless a free volume decides."""
    fallback_regions: tuple[str, ...] = ()
    """Where a run that was cut short may have made one, for want of room."""

    def give(self, made: CreateMachine) -> tuple[Step, ...]:
        """The machine with a volume for its first mount: a free one that fits, else a new one."""
        config, request = made.config, made.request
        if not config.mounts:
            region = request.region or self.default_region or None
            return (evolve(made, request=evolve(request, region=region)),)
        mount, *others = config.mounts
        free = self._free(mount.name, request.region)
        for other in self.fallback_regions:
            free = free or self._free(mount.name, other)
        name = free.id if free else None
        config = evolve(config, mounts=[evolve(mount, volume=name), *others])
        region = (free.region if free else request.region or self.default_region) or None
        made = evolve(made, request=evolve(request, config=config, region=region))
        if free is not None:
            return (made,)
        volume = self.new(config)
        step = CreateVolume(
            id=f"volume:{made.id}",
            group=made.group,
            request=evolve(volume, region=region or volume.region),
        )
        return step, evolve(made.after(step.id), volume_from=step.id)

    def _free(self, name: str | None, region: str | None) -> models.Volume | None:
        """The first free volume of that name where the machine will be; nobody else gets it."""
        for volume in sorted(self.present, key=lambda v: v.id or ""):
            free = is_free(volume) and volume.id not in self.taken
            if free and volume.name == name and (not region or volume.region == region):
                self.taken.add(volume.id or "")
                return volume
        return None


def is_free(volume: models.Volume) -> bool:
    """Whether a new machine can have the volume: no other has it, and its host answers."""
    return not volume.attached_machine_id and volume.host_status in {None, "ok"}


def volumes_of(observed: ObservedApp, machine: models.Machine) -> tuple[str, ...]:
    """Ids of the volumes that a machine has, by its config or by what they say themselves."""
    config = shown_config(machine)
    named = [mount.volume for mount in config.mounts or [] if mount.volume]
    attached = [v.id for v in observed.volumes if v.id and v.attached_machine_id == machine.id]
    return tuple(dict.fromkeys((*named, *attached)))


def new_machine_config(template: models.FlyMachineConfig) -> models.FlyMachineConfig:
    """The config of one more machine like another one: nothing that was that one's alone."""
    config = without_marks(deepcopy(template), _OF_ANOTHER)
    config.standbys = None
    config.env = {k: v for k, v in (config.env or {}).items() if k != "FLY_STANDBY_FOR"}
    for mount in config.mounts or []:
        mount.volume = None
    return config


def refuse_gpus(app: str, steps: Iterable[Step]) -> None:
    """Machines with a graphics processor are refused before anything is made for them.

    Raises ConfigError: a step would create one, or make one of another.
    """
    for step in steps:
        if not isinstance(step, GIVES_A_SIZE):
            continue
        guest = step.request.config.guest if step.request.config else None
        if guest is not None and has_gpu(guest):
            kind = guest.gpu_kind or f"{guest.gpus} GPUs"
            whose = f"of group {step.group}" if step.group else "of the release command"
            raise ConfigError(
                f"app {app}: machines {whose} would have a GPU ({kind}), "
                "which Fly refuses since August 2026",
                hint="choose a size without one: [[vm]] size in fly.toml, or --vm-size",
            )


def options_guest(options: DeployOptions) -> models.FlyMachineGuest | None:
    """The guest of `--vm-*`; None where no size was asked for.

    Raises ConversionError: the size is unknown or its memory cannot be read.
    """
    return None if options.guest is None else asked_guest(options.guest)


def asked_guest(given: GuestOptions) -> models.FlyMachineGuest:
    """The same for the values of `--vm-*`."""
    vm = VmSpec(
        size=given.size or "",
        cpus=given.cpus or 0,
        cpu_kind=given.cpu_kind or "",
        memory=given.memory or "",
    )
    return guest_of(vm, place="--vm")
