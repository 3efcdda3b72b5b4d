"""What happens to the process groups of an app: new ones, changed ones, ones that left."""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.requests import availability, standby_request
from score_flyio.deploy.metadata import Launch, Marks, by_group
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.addresses import is_first
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
from score_flyio.deploy.planning.leftovers import Members, sort_out
from score_flyio.deploy.planning.machine_checks import telling_untested, waiting_with_tests
from score_flyio.deploy.planning.model import GroupContext, GroupPlan, PlanContext, behind, join
from score_flyio.deploy.planning.moves import Moves
from score_flyio.deploy.planning.replacements import behind_replaced_ones
from score_flyio.deploy.planning.standbys import standbys_last
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.planning.updates import in_scope, update_steps
from score_flyio.deploy.step import CreateMachine, Step
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
            launch = behind(_launch(group), gone)  # what is left would look like a part
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
    launch = _launch(context, missing) if missing else GroupPlan()
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
    launch = behind(_launch(context, missing, heir=heir.target), update.steps)
    made = tuple(step.id for step in launch.steps if isinstance(step, CreateMachine))
    mark = mark_counted(context.group, heir.target, LAUNCHED, *(made or (heir.id,)))
    return join([update, launch, GroupPlan(steps=(mark,))])


def _launch(
    context: GroupContext, missing: Missing | None = None, *, heir: Ref | None = None
) -> GroupPlan:
    """The creates of a group and what waits for them.

    Creates go out one after another, each answered before the next, so that the platform puts them
    on different hosts; starting and health are waited for together. Nothing is `missing` where
    one machine is enough: with `--no-ha`, or since the group got a mount. `heir` is what has taken
    the place of the first machine by then.
    """
    options = context.options
    running = context.launch
    gets = availability(running.config or models.FlyMachineConfig(), ha=options.ha)
    if missing and gets == "single":
        return GroupPlan()
    of = 1 if gets == "single" else 2
    launch = missing.launch if missing else context.settings.new_id()
    waiting = waiting_with_tests(context)
    waits = options.strategy is None or STRATEGIES[options.strategy].waits
    decided = None if is_first(context.observed) else "decided"
    steps: list[Step] = []
    previous: tuple[str, ...] = ()
    first = Ref(machine=missing.first) if missing else Ref(step=f"create:{context.group}:1")
    first = heir or first
    for number in (2,) if missing else range(1, of + 1):
        standby_for = (first,) if gets == "standby" and number > 1 else ()
        request = standby_request(running, first.machine or "") if standby_for else running
        marks = Marks(addresses=decided, counted=LAUNCHED if number == of > 1 else None)
        config = marks.stamp(request.config or models.FlyMachineConfig())
        made = CreateMachine(
            id=f"create:{context.group}:{number}",
            group=context.group,
            request=evolve(request, config=context.secrets.stamp(config), lease_ttl=None),
            launch_id=str(Launch(launch, number, of, group=context.group)),
            number=number,
            of=of,
            role="standby" if standby_for else "",
            standby_for=standby_for,
            secrets_from=context.secrets.step,
            needs=previous,
        )
        steps += context.volumes.give(made)
        if waits and not options.detach and not standby_for:
            steps += waiting.first(made) if number == 1 else waiting.after(made)
        previous = (made.id,)
    if of > 1 and not missing:
        steps.append(mark_counted(context.group, first, LAUNCHED, *previous))
    return GroupPlan(steps=tuple(steps))
