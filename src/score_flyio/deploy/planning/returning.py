"""Back to the process groups that an app had with an earlier release. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.desired.machine_config import add_release
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.departures import last_steps, left_behind
from score_flyio.deploy.planning.model import AppPlan, GroupPlan, behind, join
from score_flyio.deploy.planning.new_machine import new_machine_config
from score_flyio.deploy.planning.scaling import GroupScale, scale_group
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.updates import Reconfiguration, app_plan, reconfigured_groups
from score_flyio.deploy.releases.known import group_at, members_at
from score_flyio.deploy.step import DestroyMachine
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class Then:
    """The groups of an app with an earlier release, beside the machines that there are."""

    kept: tuple[models.Machine, ...]
    """Machines of groups that it had then, too."""
    groups: Mapping[str, str]
    """The group of each of those then, by id."""
    lost: Mapping[tuple[str, str], int] = field(factory=dict)
    """By group and region: machines of groups that have none any more."""
    gone: tuple[str, ...] = ()
    """Ids of machines of groups that began since."""

    @classmethod
    def of(cls, observed: ObservedApp, releases: Sequence[Release], version: int) -> Self:
        """With the release of a number, as far as anyone knows."""
        members = members_at(releases, version)
        groups = {
            m.id or "": members[m.id or ""].group if m.id in members else group_at(m, version)
            for m in observed.machines
        }
        if not members:
            return cls(kept=observed.machines, groups=groups)
        had = {member.group for member in members.values()}
        there = set(groups.values())
        return cls(
            kept=tuple(m for m in observed.machines if groups[m.id or ""] in had),
            groups=groups,
            lost=Counter(
                (member.group, member.region)
                for member in members.values()
                if member.group not in there
            ),
            gone=tuple(name for name, group in groups.items() if group not in had),
        )


def plan_return(
    change: Reconfiguration,
    observed: ObservedApp,
    then: Then,
    lost: Mapping[str, models.FlyMachineConfig],
) -> AppPlan:
    """The updates of a change, the machines of groups that come back, then the ends of others.

    `lost` has the configs of groups that come back; of others, nothing is known.

    Raises:
        ConfigError: the strategy that the options name is impossible for a group.
        PlanError: the host of a machine that would change does not answer.
    """
    settled = settle(change.observed, change.options, change.definition)
    back = _come_back(change, observed, then, lost)
    updates = reconfigured_groups(evolve(change, observed=settled.observed))
    stays = join([settled.plan, updates, *back])
    ends = behind(_ends(observed, then, change.release.back_to), last_steps(stays.steps))
    notes = left_behind(observed, (*stays.steps, *ends.steps))
    plan = join([stays, ends, GroupPlan(notes=notes)])
    return app_plan(observed, change.label, change.release, plan)


def _come_back(
    change: Reconfiguration,
    observed: ObservedApp,
    then: Then,
    lost: Mapping[str, models.FlyMachineConfig],
) -> list[GroupPlan]:
    """As many machines as each group had in each region, with the volumes that are free there."""
    taken: set[str] = set()
    made: Counter[str] = Counter()
    plans = []
    for (group, region), count in sorted(then.lost.items()):
        if group not in lost:
            continue
        template = new_machine_config(lost[group])
        add_release(template, change.release)
        scale = GroupScale(
            observed=observed,
            group=group,
            machines=(),
            count=count,
            regions=(region,),
            template=template,
            new_id=change.new_id,
            options=change.options,
            taken=taken,
            made=made[group],
        )
        plans.append(scale_group(scale))
        made[group] += count
    return plans


def _ends(observed: ObservedApp, then: Then, version: int | None) -> GroupPlan:
    steps = tuple(
        DestroyMachine(
            id=f"destroy:{machine.id}",
            app=observed.name,
            group=group_of(machine),
            target=Ref(machine=machine.id),
            reason=f"release {version} had no group {group_of(machine)}",
        )
        for machine in observed.machines
        if machine.id in then.gone
    )
    return GroupPlan(steps=steps, leases=then.gone)
