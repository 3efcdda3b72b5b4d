"""Rolling: the first machine alone, then as many at a time as may be unavailable."""

from __future__ import annotations

from score_flyio.base.record import evolve
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Strategy
from score_flyio.deploy.step import Step

RESTING_SLOTS = 30
"""Machines that do not run are updated in a pool of their own; flyctl's size."""


def rolling(update: GroupUpdate) -> GroupPlan:
    """The steps of a rolling update.

    The first machine is watched for its whole smoke window, and tested, before others follow; the
    windows of all others overlap.
    """
    pool = f"rolling:{update.group}"
    steps: list[Step] = []
    gate = update.before
    for position, change in enumerate(update.running):
        first = position == 0
        if update.waiting.detach:
            steps.append(evolve(change, takes=pool, frees=change.id).after(*update.before))
            continue
        started = evolve(change, takes=None if first else pool).after(*gate)
        waits = update.waiting.first if first else update.waiting.after
        healthy, *others = waits(started)
        steps += [started, evolve(healthy, frees=None if first else started.id), *others]
        if first:
            gate = (*update.before, steps[-1].id)
    resting = f"{pool}:resting"
    steps += [
        evolve(change, takes=resting, frees=change.id).after(*gate) for change in update.resting
    ]
    return GroupPlan(steps=tuple(steps), pools={pool: update.slots, resting: RESTING_SLOTS})


ROLLING = Strategy(order=rolling)
