"""Back to the process groups that an app had with an earlier release. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

from fly_machines import models
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.desired.machine_config import add_release
from score_flyio.deploy.desired.requests import availability, standby_request
from score_flyio.deploy.metadata import BACK_TO, Marks, group_of, in_place_of
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.departures import last_steps
from score_flyio.deploy.planning.model import AppPlan, GroupPlan, behind, join
from score_flyio.deploy.planning.moves import source_of
from score_flyio.deploy.planning.new_machine import is_free, new_machine_config
from score_flyio.deploy.planning.removal import end_of
from score_flyio.deploy.planning.scaling import GroupScale, scale_group
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.updates import Reconfiguration, app_plan, reconfigured_groups
from score_flyio.deploy.releases.known import config_of, group_at, members_at
from score_flyio.deploy.step import CreateMachine
from score_flyio.fly.present import is_standby, metadata
from score_flyio.state.deployments import Member, Release


@frozen(kw_only=True)
class Then:
    """The groups of an app with an earlier release, beside the machines that there are."""

    kept: tuple[models.Machine, ...]
    """Machines of groups that it had then, too."""
    groups: Mapping[str, str]
    """The group of each of those then, by id."""
    lost: Mapping[tuple[str, str], int] = field(factory=dict)
    """By group and region: machines that there are to be again."""
    standbys: Mapping[tuple[str, str], int] = field(factory=dict)
    """The same of standbys, where the whole group comes back."""
    gone: Mapping[str, str] = field(factory=dict)
    """By id: why machines go that have no place in what there was."""
    places: Mapping[str, str] = field(factory=dict)
    """By machine that comes back from another group: the one that goes for it."""
    without: Mapping[tuple[str, str], tuple[str, ...]] = field(factory=dict)
    """By group and region: ids of machines in whose place others are made, with data."""
    empty: tuple[str, ...] = ()
    """Groups that have no machine, and of which nobody knows how many there were."""

    @classmethod
    def of(cls, observed: ObservedApp, releases: Sequence[Release], version: int) -> Self:
        """With the release of a number, as far as anyone knows."""
        members = members_at(releases, version)
        groups = {
            m.id or "": members[m.id or ""].group if m.id in members else group_at(m, version)
            for m in observed.machines
        }
        had = {member.group for member in members.values()} | _known_by(releases, version)
        if not members and not any(r.all_groups for r in releases if r.version <= version):
            had |= {*groups.values()}
        groups |= _with_data(
            observed,
            (m for m in observed.machines if groups[m.id or ""] not in had),
            lacking=_lacking(groups, had, _missing(observed, groups, members)),
            mounted={group: _mounted_at(releases, group, version) for group in had},
        )
        places, without = _places(observed, groups, releases, version)
        gone = {
            name: f"release {version} had no group {group}"
            for name, group in groups.items()
            if group not in had
        }
        bare = (*places.values(), *(name for names in without.values() for name in names))
        gone |= dict.fromkeys(bare, "others have the data of its group")
        lost = _missing(observed, groups, members) + Counter(
            {place: len(names) for place, names in without.items()}
        )
        return cls(
            kept=tuple(m for m in observed.machines if m.id not in gone),
            groups=groups,
            lost=lost,
            standbys=_standbys(observed, groups, members, version),
            gone=gone,
            places=places,
            without=without,
            empty=tuple(sorted(had - {*groups.values()} - {group for group, _ in lost})),
        )


def _with_data(
    observed: ObservedApp,
    going: Iterable[models.Machine],
    *,
    lacking: Counter[str],
    mounted: Mapping[str, str | None],
) -> dict[str, str]:
    """By machine that would go: the group that lacks some and had its volume, so that it stays.

    The machines that took the data along may be gone, and others were made on their volumes.
    """
    left, found = Counter(lacking), {}
    for machine in going:
        source = source_of(observed, machine, hidden=True)
        takers = (g for g in sorted(mounted) if source and mounted[g] == source and left[g] > 0)
        if taker := next(takers, None):
            found[machine.id or ""] = taker
            left[taker] -= 1
    return found


def _lacking(
    groups: Mapping[str, str], had: set[str], missing: Mapping[tuple[str, str], int]
) -> Counter[str]:
    """How many machines each group lacks: of one that nobody remembers, any number."""
    lacks: Counter[str] = Counter()
    for (group, _), count in missing.items():
        lacks[group] += count
    return lacks + Counter(dict.fromkeys(had - {*groups.values()} - {*lacks}, len(groups)))


def _known_by(releases: Sequence[Release], version: int) -> set[str]:
    """The groups that releases until then had, also those that were scaled to nothing since."""
    there: set[str] = set()
    for release in releases:
        if release.version > version:
            break
        if after := members_at(releases, release.version):
            before, stayed = release.members.values(), {m.group for m in after.values()}
            there -= {m.group for m in before} - stayed
        there = {*release.all_groups} or there | {*release.configs}
    return there


def _places(
    observed: ObservedApp, groups: Mapping[str, str], releases: Sequence[Release], version: int
) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, ...]]]:
    """What comes in the place of machines without the volume that their group had.

    None can be given one: some go for those that come back from another group, others for new ones
    on volumes that were left behind. Where there are neither, they stay.
    """
    places: dict[str, str] = {}
    without: dict[tuple[str, str], tuple[str, ...]] = {}
    replaced = {Marks.of(machine).stands_for for machine in observed.machines}
    free = Counter((v.name, v.region or "") for v in observed.volumes if is_free(v))
    for group in sorted({*groups.values()}):
        source = _mounted_at(releases, group, version)
        if source is None:
            continue
        same = [m for m in observed.machines if groups[m.id or ""] == group]
        coming = [m for m in same if group_of(m) != group]
        comes = {m.id for m in coming}
        bare = [
            m
            for m in same
            if m.id not in comes
            and m.id not in replaced
            and source_of(observed, m, hidden=True) != source
        ]
        for machine in coming[: len(bare)]:
            place = min(bare, key=lambda m: _unfit(m, machine))
            bare.remove(place)
            places[machine.id or ""] = place.id or ""
        for machine in bare:
            here = (source, machine.region or "")
            if free[here]:
                free[here] -= 1
                key = (group, machine.region or "")
                without[key] = (*without.get(key, ()), machine.id or "")
    return places, without


def _mounted_at(releases: Sequence[Release], group: str, version: int) -> str | None:
    """The name of the volume that the machines of a group had with a release."""
    try:
        config = config_of(releases, group, version)
    except LookupError:  # told when its config is asked for
        return None
    return config.mounts[0].name if config and config.mounts else None


def _unfit(machine: models.Machine, coming: models.Machine) -> tuple[bool, bool, str]:
    """The lower, the better a machine goes for one that comes back."""
    other_place = Marks.of(machine).stands_for != coming.id
    return other_place, machine.region != coming.region, machine.id or ""


def _missing(
    observed: ObservedApp, groups: Mapping[str, str], members: Mapping[str, Member]
) -> Counter[tuple[str, str]]:
    """The machines of groups that have none any more, or whose machines go back to another one."""
    then = Counter((m.group, m.region) for m in members.values() if not m.standby)
    there = Counter(
        (groups[m.id or ""], m.region or "") for m in observed.machines if not is_standby(m)
    )
    filled = {*groups.values()}
    left = Counter(_left(m, groups[m.id or ""]) for m in observed.machines)
    missing: Counter[tuple[str, str]] = Counter()
    for (group, region), count in sorted(then.items()):
        more = max(0, count - there[group, region])
        missing[group, region] = more if group not in filled else min(more, left[group])
        left[group] -= missing[group, region]
    return +missing


def _standbys(
    observed: ObservedApp, groups: Mapping[str, str], members: Mapping[str, Member], version: int
) -> Counter[tuple[str, str]]:
    """The standbys of groups that come back, now or in a run that was cut short.

    Those of groups that stayed are for people to say.
    """
    then = Counter((m.group, m.region) for m in members.values() if m.standby)
    stayed: set[str] = set()
    for machine in observed.machines:
        group = groups[machine.id or ""]
        here = group, machine.region or ""
        if is_standby(machine):
            then[here] -= 1
        elif machine.id in members or metadata(machine).get(BACK_TO) != str(version):
            stayed.add(group)
    return +Counter({place: count for place, count in then.items() if place[0] not in stayed})


def _left(machine: models.Machine, group: str) -> str | None:
    """The group that a machine leaves for another, or has left in a run that was cut short."""
    now = group_of(machine)
    return now if now != group else Marks.of(machine).former_group


def plan_return(
    change: Reconfiguration, then: Then, lost: Mapping[str, models.FlyMachineConfig]
) -> AppPlan:
    """The updates of a change, the machines of groups that come back, then the ends of others.

    `lost` has the configs of groups that come back; of others, nothing is known.

    Raises:
        ConfigError: the strategy that the options name is impossible for a group.
        PlanError: the host of a machine that would change does not answer.
    """
    observed = change.observed
    own = evolve(observed, machines=then.kept)
    kept, leftovers = settle(own, change.options, change.definition)
    templates = {group: new_machine_config(config) for group, config in lost.items()}
    for template in templates.values():
        add_release(template, change.release)
    back = _come_back(change, then, templates)
    updates = reconfigured_groups(evolve(change, observed=kept))
    stays = join([leftovers, updates, *back])
    ends = behind(_ends(observed, then), last_steps(stays.steps))
    plan = join([stays, ends, GroupPlan(notes=tuple(_not_made(then)))])
    return app_plan(observed, change.label, change.release, plan)


def _not_made(then: Then) -> Iterator[str]:
    """What becomes of groups that others removed, or that somebody scaled to nothing."""
    for group in then.empty:
        yield (
            f"group {group}, which that release had, stays without machines, for nobody remembers "
            f"how many it had: scale {group}=N makes some"
        )


def _come_back(
    change: Reconfiguration, then: Then, templates: Mapping[str, models.FlyMachineConfig]
) -> list[GroupPlan]:
    """As many machines as each group had in each region, with the volumes that are free there."""
    taken: set[str] = set()
    made: Counter[str] = Counter()
    plans = []
    for (group, region), count in sorted(then.lost.items()):
        if group not in templates:
            continue
        scale = GroupScale(
            observed=change.observed,
            group=group,
            machines=(),
            count=count,
            regions=(region,),
            template=templates[group],
            new_id=change.new_id,
            options=change.options,
            taken=taken,
            made=made[group],
        )
        plans.append(_in_places(scale_group(scale), then.without.get((group, region), ())))
        made[group] += count
    return [*plans, GroupPlan(steps=tuple(_stand_by(change, then, templates, made)))]


def _stand_by(
    change: Reconfiguration,
    then: Then,
    templates: Mapping[str, models.FlyMachineConfig],
    made: Mapping[str, int],
) -> Iterator[CreateMachine]:
    """The standbys of groups that come back, each for one machine, behind those that are made."""
    for (group, region), count in sorted(then.standbys.items()):
        if group not in templates or availability(templates[group]) != "standby":
            continue
        first = models.CreateMachineRequest(
            config=templates[group], region=region or None, skip_secrets=False
        )
        there = [Ref(machine=name) for name, other in then.groups.items() if other == group]
        names = [f"create:{group}:{number + 1}" for number in range(made[group])]
        runs = [*there, *(Ref(step=name) for name in names)]
        for number, target in enumerate(runs[:count], made[group] + 1):
            yield CreateMachine(
                id=f"create:{group}:{number}",
                group=group,
                request=standby_request(first, target.machine or ""),
                launch_id=change.new_id(),
                role="standby",
                standby_for=(target,),
                needs=tuple(names[-1:]),
            )


def _in_places(plan: GroupPlan, places: Iterable[str]) -> GroupPlan:
    """The machines of a plan say in whose place they come, so that those go if it is cut short."""
    left = iter(places)
    steps = list(plan.steps)
    for number, step in enumerate(steps):
        if isinstance(step, CreateMachine):
            config = in_place_of(step.config, next(left, None))
            steps[number] = evolve(step, request=evolve(step.request, config=config))
    return evolve(plan, steps=tuple(steps))


def _ends(observed: ObservedApp, then: Then) -> GroupPlan:
    steps = tuple(
        end_of(machine, group_of(machine), then.gone[machine.id or ""])
        for machine in observed.machines
        if machine.id in then.gone
    )
    return GroupPlan(steps=steps)
