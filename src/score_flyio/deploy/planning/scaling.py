"""How a group comes to a count of machines: which are made, where, and which go. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.desired.update import RESTING
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.group_plan import GroupPlan, join
from score_flyio.deploy.planning.likeness import new_machine_config
from score_flyio.deploy.planning.strategies.model import waiting_steps
from score_flyio.deploy.planning.waiting import waiting_of
from score_flyio.deploy.step import CreateMachine, CreateVolume, DestroyMachine, Step


@frozen(kw_only=True)
class GroupScale:
    """One group and how many machines it shall have."""

    observed: ObservedApp
    group: str
    machines: tuple[models.Machine, ...]
    count: int
    regions: tuple[str, ...]
    """The only regions that are looked at; empty: those where the group has machines."""
    template: models.FlyMachineConfig | None
    """What new machines are made from."""
    new_id: Callable[[], str]
    options: DeployOptions = field(factory=DeployOptions)
    taken: set[str] = field(factory=set)
    """Free volumes that another new machine of the same plan gets."""


def spread(present: Mapping[str, int], regions: Sequence[str], count: int) -> dict[str, int]:
    """How many machines each region gets: as evenly as can be with as few changes as possible."""
    wanted = {region: present.get(region, 0) for region in regions}
    order = {region: place for place, region in enumerate(regions)}
    while sum(wanted.values()) < count:
        wanted[min(regions, key=lambda r: (wanted[r], order[r]))] += 1
    while sum(wanted.values()) > count:
        wanted[max(regions, key=lambda r: (wanted[r], order[r]))] -= 1
    return wanted


def scale_group(scale: GroupScale) -> GroupPlan:
    """Creates go out one after another within a region; removed machines are the idle ones first.

    The caller has made sure that there is a template where machines are made, and a region.
    """
    present = Counter(machine.region or "" for machine in scale.machines)
    regions = scale.regions or tuple(sorted(present))
    plans = []
    made = 0
    for region, wanted in spread(present, regions, scale.count).items():
        more = wanted - present.get(region, 0)
        if more > 0:
            plans.append(_create(scale, region, more, first=made + 1))
            made += more
        elif more < 0:
            plans.append(_destroy(scale, region, -more))
    return join(plans)


def _create(scale: GroupScale, region: str, count: int, *, first: int) -> GroupPlan:
    config = new_machine_config(scale.template or models.FlyMachineConfig())
    waiting = waiting_of([config], scale.options)
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    for number in range(first, first + count):
        own, volume = _with_volume(scale, config, region, number)
        steps += [volume] if volume else []
        step = CreateMachine(
            id=f"create:{scale.group}:{number}",
            app=scale.observed.name,
            group=scale.group,
            request=models.CreateMachineRequest(
                config=own, region=region or None, skip_secrets=False
            ),
            launch_id=scale.new_id(),
            number=1,
            of=1,
            volume_from=volume.id if volume else None,
            needs=(*previous, *((volume.id,) if volume else ())),
        )
        previous = (step.id,)
        steps.append(step)
        if not waiting.detach:
            healthy, watch = waiting_steps(
                waiting, app=step.app, group=scale.group, made_by=step, ref=step.ref
            )
            steps += [healthy, *([watch] if watch else [])]
    return GroupPlan(steps=tuple(steps))


def _with_volume(
    scale: GroupScale, config: models.FlyMachineConfig, region: str, number: int
) -> tuple[models.FlyMachineConfig, CreateVolume | None]:
    """Gives the first mount a free volume of its name, or a new one as large as the largest."""
    if not config.mounts:
        return config, None
    name = config.mounts[0].name
    alike = [volume for volume in scale.observed.volumes if volume.name == name]
    for volume in sorted(alike, key=lambda v: v.id or ""):
        free = not volume.attached_machine_id and volume.id not in scale.taken
        if free and volume.region == region:
            scale.taken.add(volume.id or "")
            mounts = [evolve(config.mounts[0], volume=volume.id), *config.mounts[1:]]
            return evolve(config, mounts=mounts), None
    made = CreateVolume(
        id=f"volume:{scale.group}:{number}",
        app=scale.observed.name,
        group=scale.group,
        request=models.CreateVolumeRequest(
            name=name,
            region=region or None,
            size_gb=max((volume.size_gb or 1 for volume in alike), default=1),
            encrypted=True,
            require_unique_zone=True,
            compute=deepcopy(config.guest),
            compute_image=config.image,
        ),
        number=number,
    )
    return config, made


def _destroy(scale: GroupScale, region: str, count: int) -> GroupPlan:
    here = [machine for machine in scale.machines if (machine.region or "") == region]
    gone = sorted(here, key=_worth)[:count]
    steps = tuple(
        DestroyMachine(
            id=f"destroy:{machine.id}",
            app=scale.observed.name,
            group=scale.group,
            ref=Ref(machine=machine.id),
            reason=f"group {scale.group} gets fewer machines",
        )
        for machine in gone
    )
    notes = tuple(
        f"volume {mount.volume} of machine {machine.id} stays"
        for machine in gone
        for mount in (machine.config.mounts if machine.config else None) or []
        if mount.volume
    )
    leases = tuple(machine.id or "" for machine in gone)
    return GroupPlan(steps=steps, leases=leases, notes=notes)


def _worth(machine: models.Machine) -> tuple[bool, bool, int, str]:
    """Lowest goes first: standbys, machines that do not run, the first ones of their launch.

    The last machine of a launch shows the next deploy that the launch was complete.
    """
    config = machine.config or models.FlyMachineConfig()
    launch = Launch.of_machine(machine)
    number = launch.number if launch else 0
    return not config.standbys, machine.state not in RESTING, number, machine.id or ""
