"""Groups that left an app, and what becomes of their machines and volumes. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from fly_machines import models
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.metadata import by_group, group_of
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import GroupPlan, update_of
from score_flyio.deploy.planning.moves import Moves, moves
from score_flyio.deploy.planning.new_machine import volumes_of
from score_flyio.deploy.planning.removal import end_of
from score_flyio.deploy.planning.updates import in_scope
from score_flyio.deploy.step import AwaitHealthy, DestroyMachine, Step
from score_flyio.errors import ConfigError, DestructiveChange
from score_flyio.fly.present import is_standby
from score_flyio.flytoml.groups import default_group, process_groups
from score_flyio.flytoml.spec import AppSpec


@frozen(kw_only=True)
class Departures:
    """What of an app is no longer as its file has it."""

    groups: Mapping[str, tuple[models.Machine, ...]]
    """The groups that left, with their machines, as far as the options reach."""
    moves: Moves = field(factory=Moves)
    """The machines of whichever group that go on in another one."""


def departures(spec: AppSpec, observed: ObservedApp, options: DeployOptions) -> Departures:
    """The groups that left, and the machines whose volumes other groups are to have.

    Raises ConfigError: a group would have the data of machines that the options leave out, or
    groups exchange their volumes.
    """
    members = by_group(observed.machines, default=default_group(spec))
    wanted = process_groups(spec)
    reached = within_reach(members, options)
    reachable = {machine.id for machines in reached.values() for machine in machines}
    found = moves(
        spec,
        observed,
        to=[g for g in wanted if not options.process_groups or g in options.process_groups],
        reached=reachable,
        goes=lambda machine: in_scope(machine, options),
    )
    _refuse_without_data(observed, members, found, reachable, options)
    taken = {
        group: tuple(machine for machine in machines if machine.id in reachable)
        for group, machines in found.taken.items()
    }
    return Departures(
        groups={group: machines for group, machines in reached.items() if group not in wanted},
        moves=evolve(found, taken={group: some for group, some in taken.items() if some}),
    )


def within_reach(
    members: Mapping[str, tuple[models.Machine, ...]], options: DeployOptions
) -> dict[str, tuple[models.Machine, ...]]:
    """The groups and machines that the options let a deploy touch."""
    return {
        group: tuple(machine for machine in machines if in_scope(machine, options))
        for group, machines in members.items()
        if not options.process_groups or group in options.process_groups
    }


def makes_machines(options: DeployOptions) -> bool:
    """Whether groups that have no machines get some."""
    return not (options.update_only or options.only_machines)


def _refuse_without_data(
    observed: ObservedApp,
    members: Mapping[str, tuple[models.Machine, ...]],
    found: Moves,
    reached: Container[str | None],
    options: DeployOptions,
) -> None:
    """Raises where a machine would be made on an empty volume, and the data is out of reach."""
    for group, machines in sorted(found.taken.items()):
        out = [machine for machine in machines if machine.id not in reached]
        fails = out and (
            {machine.id for machine in out} & {*found.heirs.values()}
            or (len(out) == len(machines) and group not in members and makes_machines(options))
        )
        if fails:
            groups = sorted({group, *map(group_of, out)})
            data = ", ".join(volume for machine in out for volume in volumes_of(observed, machine))
            raise ConfigError(
                f"app {observed.name}: group {group} would get a new, empty volume: its data is in "
                f"volume {data} of group {group_of(out[0])}, which the options leave out",
                hint=f"deploy them together: --process-groups {','.join(groups)}, and without "
                "options that leave out regions or machines",
            )


def refuse_unasked(observed: ObservedApp, departures: Departures, options: DeployOptions) -> None:
    """Raises DestructiveChange where nobody agreed to what becomes of machines."""
    groups = [group for group, machines in sorted(departures.groups.items()) if machines]
    if options.allow_destructive or not (groups or departures.moves.taken):
        return
    machines = {m.id: m for group in groups for m in departures.groups[group]}
    machines |= {m.id: m for _, taken in sorted(departures.moves.taken.items()) for m in taken}
    taker = departures.moves.taker
    fates = "; ".join(_fate(observed, m, taker.get(m.id or "")) for m in machines.values())
    left = f"group {', '.join(groups)} is no longer part of the app"
    raise DestructiveChange(
        f"app {observed.name}: {left if groups else 'mounts change'}: {fates}",
        hint=f"confirm with --yes, or keep the {'group' if groups else 'mounts'}",
    )


def _fate(observed: ObservedApp, machine: models.Machine, taker: str | None) -> str:
    volumes = ", ".join(volumes_of(observed, machine))
    if taker is not None:
        return _goes_on(machine, taker, volumes)
    left = f", and its volume {volumes} is left behind, in no machine" if volumes else ""
    return f"machine {machine.id} would be destroyed{left}"


def _goes_on(machine: models.Machine, taker: str, volumes: str) -> str:
    return f"machine {machine.id} goes on in group {taker}, with its volume {volumes}"


def removal_of_groups(departures: Departures, *, after: Sequence[Step]) -> GroupPlan:
    """The ends of all machines of groups that left and that no other takes, once all else is well.

    Standbys go last. Should the group come back when only some are gone, it is whole, or what is
    left would never run and the group begins anew.
    """
    ends = tuple(step.id for step in last_steps(after))
    taken = departures.moves.taker
    steps: list[DestroyMachine] = []
    for group, machines in sorted(departures.groups.items()):
        reason = f"group {group} is no longer part of the app"
        gone = {m.id or "": m for m in machines if m.id not in taken}
        standbys = {name for name, m in gone.items() if is_standby(m)}
        first = [
            end_of(machine, group, reason).after(*ends)
            for name, machine in gone.items()
            if name not in standbys
        ]
        before = [step.id for step in first]
        last = (end_of(gone[name], group, reason) for name in sorted(standbys))
        steps += [*first, *(step.after(*before, *ends) for step in last)]
    return GroupPlan(steps=tuple(steps))


def last_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Those that no other waits for."""
    before = {need for step in steps for need in step.needs}
    return tuple(step for step in steps if step.id not in before)


def moved(observed: ObservedApp, departures: Departures, plan: GroupPlan) -> GroupPlan:
    """The plan, in which machines that another group takes over do not end.

    One whose place another machine takes in its present group goes on when that is well.
    """
    taken = departures.moves.taker
    ends = {
        step.target.machine: step
        for step in plan.steps
        if isinstance(step, DestroyMachine) and step.target.machine in taken
    }
    waits = {s.id: s.target.machine for s in plan.steps if isinstance(s, AwaitHealthy)}
    about = waits | {update_of(name or ""): name for name in ends}
    behind = {update_of(name or ""): _needs(name, ends, about) for name in ends}
    idle = {need for end in ends.values() for need in end.needs if waits.get(need) in ends}
    dropped = idle | {end.id for end in ends.values()}
    steps = (step.after(*behind.get(step.id, ())) for step in plan.steps if step.id not in dropped)
    notes = (
        _goes_on(machine, group, ", ".join(volumes_of(observed, machine)))
        for group, machines in sorted(departures.moves.taken.items())
        for machine in machines
    )
    return evolve(plan, steps=tuple(steps), notes=(*plan.notes, *notes))


def _needs(
    name: str | None, ends: Mapping[str | None, Step], about: Mapping[str, str | None]
) -> tuple[str, ...]:
    """What has to be well before a machine leaves its group; `about` has the machine of a step.

    What was to take its place may leave as well: then it is what takes the place of that one.
    """
    found: list[str] = []
    names = [name]
    for each in names:
        for need in ends[each].needs:
            other = about.get(need)
            if other not in ends:
                found.append(need)
            elif other not in names:
                names.append(other)
    return tuple(dict.fromkeys(found))
