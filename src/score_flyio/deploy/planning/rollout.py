"""How the machines that a group has get new configs, for deploys and for operations alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.desired.update import RESTING
from score_flyio.deploy.metadata import CANARY
from score_flyio.deploy.options import DeployOptions, StrategyName
from score_flyio.deploy.planning.greens import greens
from score_flyio.deploy.planning.group_plan import GroupPlan
from score_flyio.deploy.planning.strategies import STRATEGIES, GroupUpdate
from score_flyio.deploy.planning.strategies.model import Waiting
from score_flyio.deploy.planning.unsettled import awaits, is_well
from score_flyio.deploy.releases.in_metadata import with_history
from score_flyio.deploy.step import CreateMachine, StartMachine, UpdateMachine
from score_flyio.errors import ConfigError
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class Rollout:
    """New configs for the machines of one group."""

    app: str
    group: str
    strategy: StrategyName
    machines: tuple[models.Machine, ...]
    """All of the group."""
    updates: tuple[UpdateMachine, ...]
    """Of each machine that is in reach, also where it already is as it should be."""
    changing: frozenset[str]
    """Ids of the machines that are not yet as they should be."""
    one_more: Callable[[UpdateMachine], models.CreateMachineRequest]
    """Gives what a canary is made from, for the first of the updates that will run."""
    release: Release
    new_id: Callable[[], str]
    options: DeployOptions
    waiting: Waiting
    max_unavailable: float

    @property
    def steps(self) -> tuple[UpdateMachine, ...]:
        """The updates that are carried out: bluegreen replaces all machines, or none."""
        changing = tuple(step for step in self.updates if step.machine in self.changing)
        if self.strategy == "bluegreen":
            return self.updates if changing else ()
        known = {machine.id: machine for machine in self.machines}
        return _worst_first(changing, known)


def roll_out(rollout: Rollout) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy.

    Raises:
        ConfigError: the strategy is impossible for the group.
    """
    problem = impossible(rollout)
    if problem is not None:
        raise problem
    known = {machine.id: machine for machine in rollout.machines}
    steps = tuple(_with_history(step, known[step.machine]) for step in rollout.steps)
    touched = {step.machine for step in steps}
    reached = {step.machine for step in rollout.updates}
    waits = awaits(
        rollout.app,
        rollout.group,
        [m for m in rollout.machines if m.id in reached and m.id not in touched],
        rollout.waiting,
        strategy=rollout.strategy,
    )
    started = tuple(s.ref.machine or "" for s in waits if isinstance(s, StartMachine))
    if not steps:
        return GroupPlan(steps=waits, leases=started)
    update = _group_update(rollout, steps, before=tuple(step.id for step in waits))
    ordered = STRATEGIES[rollout.strategy](update)
    return GroupPlan(
        steps=(*waits, *ordered.steps),
        pools=ordered.pools,
        leases=(*started, *(step.machine for step in steps)),
    )


def impossible(rollout: Rollout) -> ConfigError | None:
    """Why the strategy cannot be used for what changes; None where it can."""
    steps = rollout.steps
    volumes = any(step.request.config and step.request.config.mounts for step in steps)
    name, where = rollout.strategy, f"app {rollout.app}: strategy {rollout.strategy}"
    if name == "bluegreen" and steps and not rollout.waiting.checks:
        return ConfigError(
            f"{where} needs a check in group {rollout.group}, "
            "to know when the new machines can take over",
            hint="add a check to fly.toml or a probe to the Score file, or use --strategy rolling",
        )
    if volumes and name == "bluegreen":
        return ConfigError(
            f"{where} cannot be used for group {rollout.group}, "
            "whose machines have volumes: a volume cannot be in two machines",
            hint="use --strategy rolling",
        )
    if volumes and name == "canary" and _running(steps):
        return ConfigError(
            f"{where} cannot be used for group {rollout.group}, "
            "whose machines have volumes: the canary would need one of its own",
            hint="use --strategy rolling",
        )
    return None


def _with_history(step: UpdateMachine, machine: models.Machine) -> UpdateMachine:
    """The update, with which the machine carries the releases before it."""
    config = with_history(step.request.config or models.FlyMachineConfig(), machine)
    return evolve(step, request=evolve(step.request, config=config))


def _worst_first(
    steps: Iterable[UpdateMachine], known: dict[str | None, models.Machine]
) -> tuple[UpdateMachine, ...]:
    """Machines that do not serve anyway are the first to change."""
    return tuple(sorted(steps, key=lambda step: is_well(known[step.machine], checks=True)))


def _running(steps: Iterable[UpdateMachine]) -> tuple[UpdateMachine, ...]:
    return tuple(step for step in steps if not step.request.skip_launch)


def _group_update(
    rollout: Rollout, steps: tuple[UpdateMachine, ...], *, before: tuple[str, ...]
) -> GroupUpdate:
    running = _running(steps)
    update = GroupUpdate(
        app=rollout.app,
        group=rollout.group,
        running=running,
        resting=tuple(step for step in steps if step.request.skip_launch),
        size=sum(1 for machine in rollout.machines if machine.state not in RESTING),
        before=before,
        max_unavailable=rollout.max_unavailable,
        concurrency=rollout.options.concurrency,
        waiting=rollout.waiting,
        bluegreen_pause=rollout.options.bluegreen_pause,
    )
    match rollout.strategy:
        case "canary" if running:
            return evolve(update, canary=_canary(rollout, running[0]))
        case "bluegreen":
            made = greens(
                update,
                steps,
                machines=rollout.machines,
                release=rollout.release,
                new_id=rollout.new_id,
            )
            return evolve(update, green=made)
        case _:
            return update


def _canary(rollout: Rollout, first: UpdateMachine) -> CreateMachine:
    request = rollout.one_more(first)
    config = request.config or models.FlyMachineConfig()
    config = evolve(
        config,
        metadata={**(config.metadata or {}), CANARY: "true"},
        dns=evolve(config.dns or models.FlyDNSConfig(), skip_registration=True),
    )
    return CreateMachine(
        id=f"canary:{rollout.group}",
        app=rollout.app,
        group=rollout.group,
        request=evolve(request, config=config, lease_ttl=None),
        launch_id=rollout.new_id(),
        number=1,
        of=1,
        role="canary",
        secrets_from=first.secrets_from,
    )
