"""What happens to the process groups of an app: new ones, changed ones, ones that left."""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.metadata import by_group
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.counts import (
    LAUNCHED,
    Missing,
    is_open,
    mark_counted,
    missing_of_launch,
)
from score_flyio.deploy.planning.departures import (
    departures,
    makes_machines,
    moved,
    refuse_unasked,
    removal_of_groups,
    within_reach,
)
from score_flyio.deploy.planning.launches import launch_steps
from score_flyio.deploy.planning.leftovers import Members, sort_out
from score_flyio.deploy.planning.machine_checks import telling_untested
from score_flyio.deploy.planning.model import GroupContext, GroupPlan, PlanContext, behind, join
from score_flyio.deploy.planning.moves import Moves
from score_flyio.deploy.planning.replacements import behind_replaced_ones
from score_flyio.deploy.planning.standbys import standbys_last
from score_flyio.deploy.planning.updates import in_scope, update_steps
from score_flyio.deploy.step import CreateMachine
from score_flyio.flytoml.groups import default_group, process_groups


def plan_groups(context: PlanContext) -> GroupPlan:
    """Groups are independent of each other, but for machines that one takes over from another.

    Each has its own pools.

    Raises:
        DestructiveChange: a group left, and nobody agreed to what becomes of it.
        ConfigError: a group would have the data of machines that the options leave out.
    """
    spec, options, observed = context.desired.spec, context.options, context.observed
    left = departures(spec, observed, options)
    refuse_unasked(observed, left, options)
    members = by_group(observed.machines, default=default_group(spec))
    creates = makes_machines(options)
    within = within_reach(members, options)
    plans: list[GroupPlan] = []
    for group in map(context.of, process_groups(spec)):
        if options.process_groups and group.group not in options.process_groups:
            continue
        taken = left.moves.taken.get(group.group, ())
        found = sort_out(group.group, (*members.get(group.group, ()), *taken))
        found = evolve(found, stand_ins=_stand_ins(found, taken, left.moves))
        touched = {machine.id for machine in within.get(group.group, ())}
        gone = tuple(step for step in found.gone if step.target.machine in touched)
        if not found.machines:
            launch = behind(launch_steps(group), gone)  # what is left would look like a part
            begun = join([GroupPlan(steps=gone), telling_untested(group, launch)])
            plans += [begun] if creates else []
            continue
        plans.append(GroupPlan(steps=gone))
        plans.append(_present(group, found, creates=creates))
    stays = moved(observed, left, join(plans))
    ends = removal_of_groups(left, after=stays.steps)
    return behind_replaced_ones(standbys_last(join([ends, stays])))


def _stand_ins(members: Members, taken: Iterable[models.Machine], moves: Moves) -> dict[str, str]:
    """By machine that goes, what takes its place; none that comes from another group goes."""
    coming, there = ({machine.id for machine in some} for some in (taken, members.machines))
    known = {old: new for old, new in members.stand_ins.items() if old not in coming}
    return known | {old: new for old, new in moves.heirs.items() if {old, new} <= there}


def _present(context: GroupContext, members: Members, *, creates: bool) -> GroupPlan:
    """A group that has machines: before they change comes what its launch left out.

    So all of them can be marked as those of a group that is counted from now on.
    """
    missing = missing_of_launch(members.machines)
    if missing:
        update = telling_untested(context, update_steps(context, members))
        if not creates:
            return update
        if heir := _heir(update, missing):
            return _completed_afterwards(context, update, missing, heir)
    launch = launch_steps(context, missing) if missing else GroupPlan()
    update = update_steps(context, members, counted=True)
    update = telling_untested(context, behind(update, launch.steps))
    made = tuple(step.id for step in launch.steps if isinstance(step, CreateMachine))
    marks = tuple(
        mark_counted(context.group, Ref(machine=machine.id), LAUNCHED, *made)
        for machine in members.machines
        if is_open(machine)
        and machine.id in update.unchanged
        and in_scope(machine, context.options)
    )
    return join([launch, update, GroupPlan(steps=marks)])


def _heir(update: GroupPlan, missing: Missing) -> CreateMachine | None:
    """What takes the place of the only machine of a launch, where an update does not do."""
    made = (s for s in update.steps if isinstance(s, CreateMachine) and s.previous == missing.first)
    return next(made, None)


def _completed_afterwards(
    context: GroupContext, update: GroupPlan, missing: Missing, heir: CreateMachine
) -> GroupPlan:
    """What the launch left out comes behind its first machine's end, and belongs to its heir."""
    launch = behind(launch_steps(context, missing, heir=heir.target), update.steps)
    made = tuple(step.id for step in launch.steps if isinstance(step, CreateMachine))
    mark = mark_counted(context.group, heir.target, LAUNCHED, *(made or (heir.id,)))
    return join([update, launch, GroupPlan(steps=(mark,))])
