"""Immediate: all machines at once, without waiting for any."""

from __future__ import annotations

from score_flyio.base.record import evolve
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Strategy


def immediate(update: GroupUpdate) -> GroupPlan:
    """Bounded only by `concurrency`; serving may drop to nothing."""
    pool = f"immediate:{update.group}"
    steps = tuple(
        evolve(change, takes=pool, frees=change.id).after(*update.before)
        for change in (*update.running, *update.resting)
    )
    return GroupPlan(steps=steps, pools={pool: update.options.concurrency})


IMMEDIATE = Strategy(order=immediate, waits=False)
