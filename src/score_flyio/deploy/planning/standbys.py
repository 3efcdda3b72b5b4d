"""Whom a standby stands by for: where that machine goes, for the one that takes its place. Pure.

In a group with a mount none has any use: started, it would run on a volume of its own, which has
nothing of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.leftovers import orphaned
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.step import CreateMachine, DestroyMachine, UpdateMachine
from score_flyio.fly.present import shown_config

Configured = TypeVar("Configured", CreateMachine, UpdateMachine)


def standing_by(
    step: Configured,
    machine: models.Machine,
    machines: Iterable[models.Machine],
    heirs: Mapping[str, Ref],
) -> Configured:
    """The step that gives a standby its config, standing by for a machine that is there.

    Those that it names may be gone, and a lost host shows no name: then its launch tells, or, as
    after a bluegreen deploy of flyctl, nothing does, and it gets any machine of its group. `heirs`
    has what takes the place of machines that the plan replaces.
    """
    machines = tuple(machines)
    named = _named(step.config, machines)
    target = named or _first_of_launch(machine, machines) or _uncovered(machine, machines)
    if target is None or (target == named and target not in heirs):
        return step
    heir = heirs.get(target, Ref(machine=target))
    if heir.machine == machine.id or heir.step == step.id:
        return step
    if target in heirs:
        step = step.after(f"destroy:{target}")
    if isinstance(step, CreateMachine):
        return evolve(step, standby_for=heir)
    before = next(iter(step.config.standbys or ()), None)
    change = Difference(path="standbys[0]", before=before, after=str(heir))
    return evolve(step, standby_for=heir, differences=(*step.differences, change))


def _named(config: models.FlyMachineConfig, machines: Iterable[models.Machine]) -> str | None:
    """The first machine that a standby stands by for, of those that are there."""
    there = {m.id for m in machines}
    return next((name for name in config.standbys or () if name in there), None)


def _uncovered(machine: models.Machine, machines: tuple[models.Machine, ...]) -> str | None:
    """One that serves with no standby, before others, in the same region, before others.

    Each of several standbys that lost their machines gets another one.
    """
    covered = {name for m in machines for name in shown_config(m).standbys or ()}
    serving = [m for m in machines if not shown_config(m).standbys]
    nearest = sorted(serving, key=lambda m: (m.id in covered, m.region != machine.region, m.id))
    lost = [m for m in machines if orphaned(m, machines)]
    place = sum((m.id or "") < (machine.id or "") for m in lost)
    return nearest[place % len(nearest)].id if nearest else None


def _first_of_launch(machine: models.Machine, machines: Iterable[models.Machine]) -> str | None:
    place = Launch.of_machine(machine)
    if place is None or place.number == 1:
        return None
    for other in machines:
        launch = Launch.of_machine(other)
        if launch is None or shown_config(other).standbys:
            continue
        if (launch.id, launch.number) == (place.id, 1):
            return other.id
    return None


def successors(machines: Iterable[models.Machine]) -> frozenset[str]:
    """Ids of the standbys that are all that is left of their group: they are its members now."""
    machines = tuple(machines)
    if not all(orphaned(machine, machines) for machine in machines):
        return frozenset()
    return frozenset(machine.id or "" for machine in machines)


def gains_a_volume(machine: models.Machine, config: models.FlyMachineConfig) -> bool:
    """Whether a standby would get its first volume with a config."""
    return bool(config.standbys and config.mounts and not shown_config(machine).mounts)


def without_data(app: str, group: str, standbys: Iterable[models.Machine]) -> GroupPlan:
    """The ends of standbys that would have the mount of their group without its data."""
    reason = "a standby would have a volume of its own, without the data of its group"
    ends = (DestroyMachine.of(m.id or "", app=app, group=group, reason=reason) for m in standbys)
    return GroupPlan(steps=tuple(ends))
