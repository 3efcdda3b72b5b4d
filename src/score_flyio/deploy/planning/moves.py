"""Machines that go on in another group, with their volumes. Pure.

A volume is in one machine at a time, and none can be given to a machine that there is. So a group
that is to have the data of another one takes over its machines: each gets the config of its new
group, and its volume never leaves it. A group that begins takes all of them. One that has machines
takes one for each that is without the data, and that one goes once its heir is well.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from fly_machines import models
from score_flyio.base.record import field, frozen
from score_flyio.deploy.metadata import Marks, by_group
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.leftovers import sort_out
from score_flyio.errors import ConfigError
from score_flyio.fly.present import is_standby, shown_config
from score_flyio.flytoml.groups import default_group, matches, process_groups
from score_flyio.flytoml.spec import AppSpec


@frozen(kw_only=True)
class Moves:
    """What groups take over from each other."""

    taken: Mapping[str, tuple[models.Machine, ...]] = field(factory=dict)
    """By group: the machines that it takes over, with their volumes."""
    heirs: Mapping[str, str] = field(factory=dict)
    """By machine that goes: the one that takes its place in its group."""

    @property
    def taker(self) -> Mapping[str, str]:
        """By machine, the group that takes it over."""
        return {m.id or "": group for group, machines in self.taken.items() for m in machines}


def moves(
    spec: AppSpec,
    observed: ObservedApp,
    *,
    to: Iterable[str],
    reached: Container[str | None],
    goes: Callable[[models.Machine], bool],
) -> Moves:
    """Those to some groups of the file, `reached` machines first.

    Of several groups that begin the smallest comes first, so that as many as can be begin with
    data. In a group that has machines, only those that may go give their place to others.

        Raises ConfigError: groups exchange their volumes.
    """
    found = by_group(observed.machines, default=default_group(spec))
    members = {group: sort_out(group, m).machines for group, m in found.items()}
    mounted = {group: _mounted_by(spec, group) for group in process_groups(spec)}
    takers = {group: mounted[group] for group in to if mounted[group]}
    vacant = {
        group: [m for m in _without(observed, members.get(group, ()), source) if goes(m)]
        for group, source in takers.items()
    }
    taken: dict[str, tuple[models.Machine, ...]] = {}
    heirs: dict[str, str] = {}
    givers = ((group, m) for group, machines in sorted(members.items()) for m in machines)
    for group, machine in sorted(givers, key=lambda giver: giver[1].id not in reached):
        source = source_of(observed, machine, hidden=group not in mounted)
        if source is None or source == mounted.get(group):
            continue
        wanting = [other for other, name in takers.items() if name == source]
        begin = [other for other in wanting if _begins(members.get(other, ()), group)]
        places = [(other, place) for other in wanting for place in vacant[other]]
        if begin:
            sizes = {g: len(members.get(g, ())) + len(taken.get(g, ())) for g in begin}
            taker = min(begin, key=sizes.__getitem__)
        elif places:
            taker, place = min(places, key=lambda found: _fitness(observed, machine, *found))
            vacant[taker].remove(place)
            heirs[place.id or ""] = machine.id or ""
        else:
            continue
        taken[taker] = (*taken.get(taker, ()), machine)
    _refuse_exchanges(observed, heirs)
    return Moves(taken=taken, heirs=heirs)


def _mounted_by(spec: AppSpec, group: str) -> str | None:
    default = default_group(spec)
    mounts = (m for m in spec.mounts if matches(m.processes, group, default))
    return next((mount.source for mount in mounts), None)


def source_of(observed: ObservedApp, machine: models.Machine, *, hidden: bool) -> str | None:
    """The name of the volume of a machine; `hidden`: also where its config does not tell."""
    config = shown_config(machine)
    if config.mounts and config.mounts[0].name:
        return config.mounts[0].name
    attached = (v.name for v in observed.volumes if v.attached_machine_id == machine.id)
    return next(attached, None) if hidden else None


def _without(
    observed: ObservedApp, machines: Iterable[models.Machine], source: str | None
) -> Iterable[models.Machine]:
    """The machines without a volume of that name, whose place no other one takes yet."""
    machines = tuple(machines)
    replaced = {Marks.of(machine).stands_for for machine in machines}
    return (
        machine
        for machine in machines
        if source_of(observed, machine, hidden=True) != source and machine.id not in replaced
    )


def _begins(machines: Iterable[models.Machine], group: str) -> bool:
    """Whether a group with these machines begins with those of another one.

    One that took some of them in a run that was cut short still does.
    """
    marks = tuple(Marks.of(machine) for machine in machines)
    return not marks or any(m.former_group == group and not m.stands_for for m in marks)


def _fitness(
    observed: ObservedApp, machine: models.Machine, group: str, place: models.Machine
) -> tuple[bool, bool, bool, bool, str]:
    """The lower, the better. What came for a machine gives way to that one when it comes back."""
    came_for = Marks.of(place).stands_for
    return (
        came_for != machine.id,
        came_for in {other.id for other in observed.machines},
        place.region != machine.region,
        is_standby(place),
        f"{group} {place.id}",
    )


def _refuse_exchanges(observed: ObservedApp, heirs: Mapping[str, str]) -> None:
    """Raises where machines would take each other's place, each waiting for the other's end."""
    for first in heirs:
        name, seen = heirs[first], [first]
        while name in heirs and name not in seen:
            seen.append(name)
            name = heirs[name]
        if name == first:
            raise ConfigError(
                f"app {observed.name}: groups exchange their mounts: of the machines "
                f"{', '.join(sorted(seen))} each would take the place, with its volume, of another",
                hint="deploy twice: first with one of the groups without its mount",
            )
