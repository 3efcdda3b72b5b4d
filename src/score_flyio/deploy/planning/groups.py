"""What happens to the process groups of an app: new ones, changed ones, ones that left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import by_group
from score_flyio.deploy.model import Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.counts import (
    LAUNCHED,
    is_open,
    mark_counted,
    missing_of_launch,
)
from score_flyio.deploy.planning.launches import launch_steps
from score_flyio.deploy.planning.leftovers import Members, sort_out
from score_flyio.deploy.planning.machine_checks import telling_untested
from score_flyio.deploy.planning.model import GroupContext, GroupPlan, PlanContext, behind, join
from score_flyio.deploy.planning.replacements import behind_replaced_ones
from score_flyio.deploy.planning.updates import in_scope, update_steps
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step
from score_flyio.flytoml.groups import default_group, process_groups


def plan_groups(context: PlanContext) -> GroupPlan:
    """Groups are independent of each other; each has its own pools."""
    app, spec, options = context.app, context.desired.spec, context.options
    members = by_group(context.observed.machines, default=default_group(spec))
    wanted = process_groups(spec)
    creates = not (options.update_only or options.only_machines)
    within = _touched(members, options)
    plans: list[GroupPlan] = []
    for group in map(context.of, wanted):
        if options.process_groups and group.group not in options.process_groups:
            continue
        found = sort_out(app, group.group, members.get(group.group, ()))
        touched = {machine.id for machine in within.get(group.group, ())}
        gone = tuple(step for step in found.gone if step.target.machine in touched)
        plans.append(_destroyed(gone))
        if not found.machines:
            launch = behind(launch_steps(group), gone)  # what is left would look like a part
            plans += [telling_untested(group, launch)] if creates else []
            continue
        plans.append(_present(group, found, creates=creates))
    stays = join(plans)
    left = behind(_removed(app, within, wanted), _last(stays.steps))
    return behind_replaced_ones(_standbys_last(join([left, stays])))


def _last(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that no other waits for: a group goes once all else is well."""
    before = {need for step in steps for need in step.needs}
    return tuple(step for step in steps if step.id not in before)


def _present(context: GroupContext, members: Members, *, creates: bool) -> GroupPlan:
    """A group that has machines: before they change comes what its launch left out.

    So all of them can be marked as those of a group that is counted from now on.
    """
    missing = missing_of_launch(members.machines)
    if missing and not creates:
        return telling_untested(context, update_steps(context, members))
    launch = launch_steps(context, missing) if missing else GroupPlan()
    update = update_steps(context, members, counted=True)
    update = telling_untested(context, behind(update, launch.steps))
    made = tuple(step.id for step in launch.steps if isinstance(step, CreateMachine))
    unmarked = tuple(
        machine.id or ""
        for machine in members.machines
        if is_open(machine)
        and machine.id in update.unchanged
        and in_scope(machine, context.options)
    )
    marks = tuple(
        mark_counted(context.app, context.group, Ref(machine=name), LAUNCHED, *made)
        for name in unmarked
    )
    return join([launch, update, GroupPlan(steps=marks, leases=unmarked)])


def _touched(
    members: Mapping[str, tuple[models.Machine, ...]], options: DeployOptions
) -> dict[str, tuple[models.Machine, ...]]:
    """The groups and machines that the options let a deploy touch."""
    return {
        group: tuple(machine for machine in machines if in_scope(machine, options))
        for group, machines in members.items()
        if not options.process_groups or group in options.process_groups
    }


def _standbys_last(plan: GroupPlan) -> GroupPlan:
    """Of what is launched, machines that serve come first: the rate limit counts standbys, too."""
    creates = [step for step in plan.steps if isinstance(step, CreateMachine)]
    serving = tuple(step.id for step in creates if not step.role)
    steps = tuple(
        step.after(*serving) if isinstance(step, CreateMachine) and step.role == "standby" else step
        for step in plan.steps
    )
    return evolve(plan, steps=steps)


def _removed(
    app: str, members: Mapping[str, tuple[models.Machine, ...]], wanted: Iterable[str]
) -> GroupPlan:
    """Standbys go last.

    Should the group come back when only some are gone, it is whole, or what is left would never run
    and the group begins anew.
    """
    steps: list[DestroyMachine] = []
    for group in sorted(set(members) - set(wanted)):
        gone = {
            machine.id or "": DestroyMachine(
                id=f"destroy:{machine.id}",
                app=app,
                group=group,
                target=Ref(machine=machine.id),
                reason=f"group {group} is no longer part of the app",
            )
            for machine in members[group]
        }
        standbys = {m.id or "" for m in members[group] if m.config and m.config.standbys}
        first = [step for name, step in gone.items() if name not in standbys]
        before = [step.id for step in first]
        steps += [*first, *(gone[name].after(*before) for name in sorted(standbys))]
    return _destroyed(tuple(steps))


def _destroyed(steps: tuple[DestroyMachine, ...]) -> GroupPlan:
    """Machines that go are held first, so that nobody else is at work on them."""
    return GroupPlan(steps=steps, leases=tuple(step.target.machine or "" for step in steps))
