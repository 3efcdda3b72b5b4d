"""What happens to the process groups of an app: new ones, changed ones, ones that left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.model import DesiredApp, ObservedApp, Ref
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings, join
from score_flyio.deploy.planning.launches import launch_steps, missing_of_launch
from score_flyio.deploy.planning.leftovers import sort_out
from score_flyio.deploy.planning.replacements import behind_replaced_ones
from score_flyio.deploy.planning.secrets import SecretsPlan
from score_flyio.deploy.planning.updates import update_steps
from score_flyio.deploy.step import CreateMachine, DestroyMachine
from score_flyio.flytoml.groups import default_group, process_groups
from score_flyio.state.deployments import Release


def plan_groups(
    desired: DesiredApp,
    observed: ObservedApp,
    settings: PlanSettings,
    *,
    release: Release,
    secrets: SecretsPlan,
) -> GroupPlan:
    """Groups are independent of each other; each has its own pools."""
    members = by_group(observed.machines, default=default_group(desired.spec))
    wanted = process_groups(desired.spec)
    taken: set[str] = set()
    plans = [_removed(desired, members, wanted)]
    for group in wanted:
        found = sort_out(desired.name, group, members.get(group, ()))
        machines = found.machines
        plans.append(_destroyed(found.gone))
        if machines:
            plans.append(
                update_steps(
                    desired,
                    group,
                    found,
                    observed,
                    settings,
                    release=release,
                    secrets=secrets,
                    taken=taken,
                )
            )
            missing = missing_of_launch(machines, settings.known.launches_done)
        else:
            missing = None
        if not machines or missing is not None:
            plans.append(
                launch_steps(
                    desired,
                    group,
                    observed,
                    settings,
                    release=release,
                    secrets=secrets,
                    taken=taken,
                    missing=missing,
                )
            )
    return behind_replaced_ones(_standbys_last(join(plans)))


def _standbys_last(plan: GroupPlan) -> GroupPlan:
    """Machines that serve are created before those that stand by: the rate limit counts both."""
    creates = [step for step in plan.steps if isinstance(step, CreateMachine)]
    serving = tuple(step.id for step in creates if step.role != "standby")
    steps = tuple(
        step.after(*serving) if isinstance(step, CreateMachine) and step.role == "standby" else step
        for step in plan.steps
    )
    return evolve(plan, steps=steps)


def by_group(
    machines: Iterable[models.Machine], *, default: str
) -> dict[str, tuple[models.Machine, ...]]:
    """Machines by process group, each sorted by id."""
    members: dict[str, list[models.Machine]] = {}
    for machine in sorted(machines, key=lambda m: m.id or ""):
        members.setdefault(group_of(machine, default), []).append(machine)
    return {group: tuple(found) for group, found in members.items()}


def _removed(
    desired: DesiredApp, members: Mapping[str, tuple[models.Machine, ...]], wanted: Iterable[str]
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
                app=desired.name,
                group=group,
                ref=Ref(machine=machine.id),
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
    return GroupPlan(steps=steps, leases=tuple(step.ref.machine or "" for step in steps))
