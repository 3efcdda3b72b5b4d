"""Rolling: the first machine alone, then as many at a time as may be unavailable."""

from __future__ import annotations

from attrs import evolve

from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Ordered, waiting_steps
from score_flyio.deploy.step import Step

RESTING_SLOTS = 30
"""Machines that do not run are updated in a pool of their own; flyctl's size."""


def rolling(update: GroupUpdate) -> Ordered:
    """The steps of a rolling update.

    The first machine is watched for its whole smoke window before others follow; the windows of all
    others overlap.
    """
    pool = f"rolling:{update.group}"
    steps: list[Step] = []
    gate = update.before
    done: list[str] = []
    for position, change in enumerate(update.running):
        first = position == 0
        if update.waiting.detach:
            step = evolve(change, takes=pool, frees=change.id)
            steps.append(step.after(*update.before))
            done.append(step.id)
            continue
        started = evolve(change, takes=None if first else pool).after(*gate)
        healthy, watch = waiting_steps(
            update.waiting,
            app=update.app,
            group=update.group,
            made_by=started,
            ref=Ref(machine=change.machine),
        )
        steps += [started, evolve(healthy, frees=None if first else started.id)]
        if watch is not None:
            steps.append(watch)
        last = watch or healthy
        done.append(last.id)
        if first:
            gate = (*update.before, last.id)
    steps += _resting(update, pool, gate)
    pools = {pool: update.slots, f"{pool}:resting": RESTING_SLOTS}
    return Ordered(steps=tuple(steps), pools=pools, done=tuple(done))


def _resting(update: GroupUpdate, pool: str, gate: tuple[str, ...]) -> list[Step]:
    name = f"{pool}:resting"
    return [evolve(change, takes=name, frees=change.id).after(*gate) for change in update.resting]
