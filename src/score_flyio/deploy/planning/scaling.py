"""How a group comes to a count of machines: which are made, where, and which go. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

from fly_machines import models
from score_flyio.base.record import field, frozen
from score_flyio.deploy.condition import Condition, condition
from score_flyio.deploy.metadata import ALL_SECRETS_SEEN, Marks
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import GroupPlan, join
from score_flyio.deploy.planning.new_machine import Volumes, new_machine_config
from score_flyio.deploy.planning.removal import end_of
from score_flyio.deploy.planning.strategies.model import waiting_of
from score_flyio.deploy.step import CreateMachine, Step
from score_flyio.fly.present import is_standby


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
    """What new machines are made from; its mark of all secrets is true of them, too."""
    new_id: Callable[[], str]
    options: DeployOptions = field(factory=DeployOptions)
    taken: set[str] = field(factory=set)
    """Free volumes that another new machine of the same plan gets."""
    made: int = 0
    """New machines of the group that the same plan has already."""

    def new_volume(self, config: models.FlyMachineConfig) -> models.CreateVolumeRequest:
        """One more volume, as the largest of its name is."""
        name = (config.mounts or [])[0].name
        alike = [volume for volume in self.observed.volumes if volume.name == name]
        pattern = max(alike, key=lambda volume: volume.size_gb or 1, default=models.Volume())
        return models.CreateVolumeRequest(
            name=name,
            size_gb=pattern.size_gb or 1,
            encrypted=True,
            snapshot_retention=pattern.snapshot_retention,
            auto_backup_enabled=pattern.auto_backup_enabled,
            require_unique_zone=True,
            compute=deepcopy(config.guest),
            compute_image=config.image,
        )


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
    made = scale.made
    for region, wanted in spread(present, regions, scale.count).items():
        more = wanted - present.get(region, 0)
        if more > 0:
            plans.append(_create(scale, region, more, first=made + 1))
            made += more
        elif more < 0:
            plans.append(_destroy(scale, region, -more))
    return join(plans)


def _create(scale: GroupScale, region: str, count: int, *, first: int) -> GroupPlan:
    template = scale.template or models.FlyMachineConfig()
    seen = Marks(all_secrets_seen=(template.metadata or {}).get(ALL_SECRETS_SEEN))
    config = seen.stamp(new_machine_config(template))
    waiting = waiting_of([config], scale.options)
    volumes = Volumes(
        present=scale.observed.volumes,
        taken=scale.taken,
        new=scale.new_volume,
        fallback_regions=scale.options.fallback_regions,
    )
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    for number in range(first, first + count):
        made = CreateMachine(
            id=f"create:{scale.group}:{number}",
            group=scale.group,
            request=models.CreateMachineRequest(
                config=config, region=region or None, skip_secrets=False
            ),
            launch_id=scale.new_id(),
            needs=previous,
        )
        previous = (made.id,)
        steps += volumes.give(made)
        steps += () if waiting.detach else waiting.after(made)
    return GroupPlan(steps=tuple(steps))


def _destroy(scale: GroupScale, region: str, count: int) -> GroupPlan:
    here = [machine for machine in scale.machines if (machine.region or "") == region]
    gone = sorted(here, key=_worth)[:count]
    reason = f"group {scale.group} gets fewer machines"
    steps = tuple(end_of(machine, scale.group, reason) for machine in gone)
    return GroupPlan(steps=steps)


def _worth(machine: models.Machine) -> tuple[bool, bool, str]:
    """Lowest goes first: standbys, then machines that are not well."""
    runs = condition(machine, checks=True) is Condition.RUNS
    return not is_standby(machine), runs, machine.id or ""
