"""How the machines that a group has get new configs, for deploys and for operations alike. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from score_flyio.base.record import evolve
from score_flyio.deploy.condition import Condition, condition, host_answers
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.planning.strategies.model import GroupUpdate
from score_flyio.deploy.releases.in_metadata import with_history
from score_flyio.deploy.step import StartMachine, Step, UpdateMachine
from score_flyio.errors import ConfigError
from score_flyio.fly.elements import sharing
from score_flyio.flytoml.names import StrategyName


def roll_out(
    update: GroupUpdate,
    name: StrategyName,
    *,
    replaced: frozenset[str] = frozenset(),
    fall_back: bool = False,
) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy.

    `replaced` are machines of the group that change in another way; with `fall_back`, rolling does
    for a strategy that is impossible.

    Raises ConfigError: the strategy is impossible for the group.
    """
    strategy, changing = STRATEGIES[name], update.changing
    if strategy.whole_group and all(map(_stands_by, _of(update, changing))):
        strategy = STRATEGIES["rolling"]
    elif strategy.whole_group:
        changing = frozenset(step.machine for step in update.updates)
    waits = _unsettled(update, changing, waits=strategy.waits)
    unchanged = tuple(m for m in update.machines if m not in changing | replaced)
    plan = GroupPlan(steps=waits, unchanged=unchanged)
    if not changing:
        return plan
    chosen = evolve(
        update,
        updates=_with_history(update, _of(update, changing)),
        before=tuple(step.id for step in waits),
    )
    if problem := strategy.impossible(chosen):
        reason = f"app {update.observed.name}: strategy {name} {problem.message}"
        if not fall_back:
            raise ConfigError(reason, hint=problem.hint)
        rolling = roll_out(update, "rolling", replaced=replaced)
        return evolve(rolling, notes=(f"{reason}: rolling is used instead",))
    ordered = strategy.order(chosen)
    return evolve(plan, steps=(*waits, *ordered.steps), pools=ordered.pools)


def _of(update: GroupUpdate, machines: frozenset[str]) -> tuple[UpdateMachine, ...]:
    return tuple(step for step in update.updates if step.machine in machines)


def _stands_by(step: UpdateMachine) -> bool:
    """Whether it is a standby at rest: nothing runs that a second set would have to replace."""
    return bool(step.standby_for and step.request.skip_launch)


def _unsettled(update: GroupUpdate, changing: frozenset[str], *, waits: bool) -> tuple[Step, ...]:
    """For each machine that needs no change but is not well: a start where it fell, and the wait.

    The end of an earlier run did not wait for them. They come before others change, so that no more
    machines are out than the strategy allows, and so that a run never reports success for what does
    not work. One whose host does not answer cannot become well. Nothing is waited for where the run
    waits for nothing.
    """
    group, waiting = update.group, update.waiting
    steps: list[Step] = []
    for name in (step.machine for step in update.updates if step.machine not in changing):
        machine, target = update.machines[name], Ref(machine=name)
        how = condition(machine, checks=waiting.checks)
        if name in update.starting:
            how = Condition.FELL
        if how in {Condition.RUNS, Condition.RESTS} or not host_answers(machine):
            continue
        start = StartMachine(id=f"start:{name}", group=group, target=target)
        if how is Condition.FELL:
            steps.append(start)
        if waiting.detach or not waits:
            continue
        needs = (start.id,) if how is Condition.FELL else ()
        steps.append(waiting.healthy(f"await:{name}", group, target, *needs))
    return tuple(steps)


def _with_history(update: GroupUpdate, steps: Iterable[UpdateMachine]) -> tuple[UpdateMachine, ...]:
    """The updates, with which machines carry the releases before them."""
    found: list[UpdateMachine] = []
    for step in steps:
        config = with_history(step.config, update.machines[step.machine])
        config = sharing(config, found[-1].config) if found else config
        found.append(evolve(step, request=evolve(step.request, config=config)))
    return tuple(found)
