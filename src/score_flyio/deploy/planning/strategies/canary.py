"""Canary: one extra machine tries the new config; when it is well, it goes and rolling follows."""

from __future__ import annotations

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.metadata import Marks
from score_flyio.deploy.model import Undo
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Strategy
from score_flyio.deploy.planning.strategies.rolling import rolling
from score_flyio.deploy.step import CreateMachine, DestroyMachine
from score_flyio.errors import Problem


def canary(update: GroupUpdate) -> GroupPlan:
    """A canary that turns out bad is removed by the recovery of the run."""
    if not update.running:
        return rolling(update)
    made = _canary(update, f"canary:{update.group}:removed")
    waits = update.waiting.first(made)
    removed = DestroyMachine(
        id=f"{made.id}:removed",
        group=update.group,
        target=made.target,
        reason="the canary did its work",
        serves=True,
        needs=(waits[-1].id,),
    )
    untested = evolve(update.waiting, tests=())
    before = (*update.before, waits[-1].id)
    rest = rolling(evolve(update, before=before, waiting=untested))
    return GroupPlan(steps=(made, *waits, removed, *rest.steps), pools=rest.pools)


def _canary(update: GroupUpdate, removed: str) -> CreateMachine:
    first = update.running[0]
    request = update.one_more(first)
    config = Marks(canary="true").stamp(request.config or models.FlyMachineConfig())
    dns = evolve(config.dns or models.FlyDNSConfig(), skip_registration=True)
    return CreateMachine(
        id=f"canary:{update.group}",
        group=update.group,
        request=evolve(request, config=evolve(config, dns=dns), lease_ttl=None),
        launch_id=update.new_id(),
        role="canary",
        undo=Undo(unless_done=(removed,), reason="the canary was not healthy"),
        secrets_from=first.secrets_from,
        needs=update.before,
    )


def _impossible(update: GroupUpdate) -> Problem | None:
    return _no_volumes(update.group) if update.mounts and update.running else None


def _no_volumes(group: str) -> Problem:
    return Problem(
        code="strategy_with_volumes",
        message=f"cannot be used for group {group}, "
        "whose machines have volumes: the canary would need one of its own",
        hint="use --strategy rolling",
    )


CANARY = Strategy(order=canary, impossible=_impossible, no_volumes=_no_volumes)
