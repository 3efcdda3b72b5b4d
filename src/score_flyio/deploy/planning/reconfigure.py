"""New configs for machines that exist, given in an order that keeps the app serving. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import cast

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.machine_config import add_release
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.desired.update import skip_launch
from score_flyio.deploy.metadata import ALL_SECRETS_SEEN
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions, StrategyName
from score_flyio.deploy.planning.group_plan import GroupPlan, join
from score_flyio.deploy.planning.groups import by_group
from score_flyio.deploy.planning.hosts import check_hosts
from score_flyio.deploy.planning.likeness import new_machine_config
from score_flyio.deploy.planning.plan import AppPlan, fingerprint
from score_flyio.deploy.planning.replacements import behind_replaced_ones
from score_flyio.deploy.planning.rollout import Rollout, impossible, roll_out
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.unsettled import is_well
from score_flyio.deploy.planning.waiting import waiting_of
from score_flyio.deploy.releases.images import with_image_that_runs
from score_flyio.deploy.step import HoldMachines, UpdateMachine
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class Reconfiguration:
    """What becomes of the machines of one app."""

    observed: ObservedApp
    label: str
    configs: Mapping[str, models.FlyMachineConfig]
    """By machine id, without the marks of the release; other machines stay as they are."""
    release: Release
    new_id: Callable[[], str]
    """Gives a new unique text (ULID form) at each call."""
    options: DeployOptions = field(factory=DeployOptions)
    definition: AppSpec | None = None
    """The app's fly.toml where it is known: its `[deploy]` counts where the options say nothing."""
    restart: bool = False
    """Machines start anew although their config stays as it is: to see new secrets."""
    min_secrets_version: int | None = None


def plan_reconfiguration(change: Reconfiguration) -> AppPlan:
    """Updates of the machines that differ, after what an interrupted run left.

    Raises:
        ConfigError: the strategy that the options name is impossible for a group.
        PlanError: the host of a machine that would change does not answer.
    """
    settled = settle(change.observed, change.options, change.definition)
    groups = reconfigured_groups(evolve(change, observed=settled.observed))
    plan = join([settled.plan, groups])
    return app_plan(change.observed, change.label, change.release, plan)


def reconfigured_groups(change: Reconfiguration) -> GroupPlan:
    """The same without what was left, to be joined with other changes of the app."""
    return join(
        _group(change, group, machines)
        for group, machines in sorted(by_group(change.observed.machines, default="app").items())
    )


def app_plan(observed: ObservedApp, label: str, release: Release, groups: GroupPlan) -> AppPlan:
    """The plan of an app for what is done to its groups, behind the leases that it needs."""
    groups = behind_replaced_ones(groups)
    hold = HoldMachines(id="hold", app=observed.name, machines=groups.leases)
    ids = {step.id for step in groups.steps}
    behind = [step if ids & set(step.needs) else step.after(hold.id) for step in groups.steps]
    return AppPlan(
        app=observed.name,
        label=label,
        steps=(hold, *behind) if groups.leases else groups.steps,
        pools=groups.pools,
        unchanged=groups.unchanged,
        machines=observed.machines,
        notes=groups.notes,
        release=release,
        fingerprint=fingerprint(observed),
    )


def _group(change: Reconfiguration, group: str, machines: tuple[models.Machine, ...]) -> GroupPlan:
    if not any(machine.id in change.configs for machine in machines):
        return GroupPlan(unchanged=tuple(machine.id or "" for machine in machines))
    check_hosts(change.observed.name, (m for m in machines if m.id in change.configs))
    updates = tuple(_step(change, group, machine) for machine in machines)
    wanted = [step.request.config or models.FlyMachineConfig() for step in updates]
    settings = deploy_settings(change.definition or AppSpec())
    rollout = Rollout(
        app=change.observed.name,
        group=group,
        strategy=change.options.strategy or cast(StrategyName, settings.strategy),
        machines=machines,
        updates=updates,
        changing=frozenset(
            step.machine
            for step in updates
            if step.differences or (change.restart and step.machine in change.configs)
        ),
        one_more=_one_more,
        release=change.release,
        new_id=change.new_id,
        options=change.options,
        waiting=waiting_of(wanted, change.options, change.definition),
        max_unavailable=change.options.max_unavailable or settings.max_unavailable,
    )
    problem = impossible(rollout)
    notes: tuple[str, ...] = ()
    if problem is not None and change.options.strategy is None:
        rollout = evolve(rollout, strategy="rolling")
        notes = (f"{problem.message}: rolling is used instead",)
    changing = {step.machine for step in rollout.steps}
    unchanged = tuple(m.id or "" for m in machines if m.id not in changing)
    return join([roll_out(rollout), GroupPlan(unchanged=unchanged, notes=notes)])


def _one_more(like: UpdateMachine) -> models.CreateMachineRequest:
    return models.CreateMachineRequest(
        config=new_machine_config(like.request.config or models.FlyMachineConfig()),
        region=like.region,
        skip_secrets=False,
        min_secrets_version=like.request.min_secrets_version,
    )


def _step(change: Reconfiguration, group: str, machine: models.Machine) -> UpdateMachine:
    before = machine.config or models.FlyMachineConfig()
    wanted = with_image_that_runs(change.configs.get(machine.id or "", before), machine)
    config = deepcopy(wanted)
    add_release(config, change.release)
    well = is_well(machine, checks=False)  # one that crashed until it was given up starts again
    resting = skip_launch(machine.state, config) if well else False
    return UpdateMachine(
        id=f"update:{machine.id}",
        app=change.observed.name,
        group=group,
        machine=machine.id or "",
        region=machine.region,
        request=models.UpdateMachineRequest(
            config=config,
            region=machine.region,
            skip_launch=resting,
            skip_secrets=False,
            min_secrets_version=change.min_secrets_version,
        ),
        previous=with_image_that_runs(before, machine),
        instance_id=machine.instance_id or "",
        differences=differences(wanted, before),
        starts=machine.state != "started" and not resting,
    )


def with_guest(
    config: models.FlyMachineConfig, guest: models.FlyMachineGuest
) -> models.FlyMachineConfig:
    """The config with another size of machine, and without what its last start alone had."""
    found = config.metadata or {}
    kept = {k: v for k, v in found.items() if k != ALL_SECRETS_SEEN}
    return evolve(deepcopy(config), guest=deepcopy(guest), metadata=kept or None)
