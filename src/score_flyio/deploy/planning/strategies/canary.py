"""Canary: one extra machine tries the new config; when it is well, it goes and rolling follows."""

from __future__ import annotations

from attrs import evolve

from score_flyio.deploy.planning.strategies.model import GroupUpdate, Ordered, waiting_steps
from score_flyio.deploy.planning.strategies.rolling import rolling
from score_flyio.deploy.step import DestroyMachine, Step


def canary(update: GroupUpdate) -> Ordered:
    """A canary that turns out bad is removed by the recovery of the run."""
    if update.canary is None:
        return rolling(update)
    made = update.canary.after(*update.before)
    ref = made.ref
    healthy, watch = waiting_steps(
        evolve(update.waiting, detach=False),
        app=update.app,
        group=update.group,
        made_by=made,
        ref=ref,
    )
    last: Step = watch or healthy
    removed = DestroyMachine(
        id=f"{made.id}:removed",
        app=update.app,
        group=update.group,
        ref=ref,
        reason="the canary did its work",
        needs=(last.id,),
    )
    rest = rolling(evolve(update, before=(*update.before, last.id)))
    own = [step for step in (made, healthy, watch, removed) if step is not None]
    return Ordered(steps=(*own, *rest.steps), pools=rest.pools, done=(*rest.done, removed.id))
