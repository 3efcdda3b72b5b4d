"""New configs for the machines that a group already has: which change, how, and in which order.

Deploys know the whole app; operations give machines other configs. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import cast

from fly_machines import models
from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.compare import Difference, differences
from score_flyio.deploy.condition import check_hosts, rests
from score_flyio.deploy.desired.machine_config import add_release
from score_flyio.deploy.desired.requests import MachineUpdate, update_input
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.metadata import (
    CANARY,
    FORMER_GROUP,
    STAGED,
    Marks,
    by_group,
    from_group,
    group_of,
    without_marks,
)
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.counts import LAUNCHED, is_open
from score_flyio.deploy.planning.holding import held
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.machine_checks import waiting_with_tests
from score_flyio.deploy.planning.model import (
    AppPlan,
    GroupContext,
    GroupPlan,
    behind,
    fingerprint,
    join,
    update_of,
)
from score_flyio.deploy.planning.new_machine import new_machine_config, refuse_gpus
from score_flyio.deploy.planning.removal import left_behind
from score_flyio.deploy.planning.replacements import behind_replaced_ones, replacement_steps
from score_flyio.deploy.planning.rollout import roll_out
from score_flyio.deploy.planning.secrets import has_seen_others, waiting_secrets
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.standbys import Standbys
from score_flyio.deploy.planning.strategies.model import GroupUpdate, waiting_for, waiting_of
from score_flyio.deploy.releases.images import with_image_that_runs
from score_flyio.deploy.step import UpdateMachine
from score_flyio.flytoml.groups import default_group, flatten, process_groups
from score_flyio.flytoml.names import StrategyName
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release


@define(eq=False)
class _Compared:
    """The machine that was compared last: most of a group are like the one before.

    Equal configs of a list are one object (`fly/sharing.py`). What they are to become differs in
    marks, which are not compared, and in whom they stand by for.
    """

    _config: models.FlyMachineConfig | None = field(factory=models.FlyMachineConfig)
    """At first one that no machine has."""
    _image: str | None = None
    _standbys: list[str] | None = None
    _found: tuple[Difference, ...] = ()

    def differences(
        self,
        machine: models.Machine,
        after: models.FlyMachineConfig,
        before: models.FlyMachineConfig,
    ) -> tuple[Difference, ...]:
        """Between the machine's config after and before, where only the image may be another."""
        alike = machine.config is self._config and before.image == self._image
        if not alike or after.standbys != self._standbys:
            self._found = differences(after, before)
            self._config, self._image = machine.config, before.image
            self._standbys = after.standbys
        return self._found


def update_steps(context: GroupContext, members: Members, *, counted: bool = False) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy.

    Where their group is `counted`, they say so from then on.
    """
    options, machines = context.options, members.machines
    reached = {m.id or "": m for m in machines if in_scope(m, options)}
    standbys = Standbys.of(context, members, reached)
    starting = _to_start(context, tuple(reached.values()), standbys)
    places = {new: old for old, new in members.stand_ins.items()}
    changes = {
        n: _change(
            context, m, start=n in starting, counted=counted and is_open(m), place=places.get(n)
        )
        for n, m in reached.items()
        if n not in standbys.bare
    }
    replaced = [n for n, c in changes.items() if c.replaced_because or n in standbys.stand_ins]
    standbys = evolve(standbys, replaced=frozenset(replaced))
    changes = {name: standbys.with_targets(name, change) for name, change in changes.items()}
    others = replacement_steps(
        context, members, standbys, {name: changes[name] for name in replaced}, starting=starting
    )
    gone = standbys.replaced | standbys.bare
    compared = _Compared()
    updates = tuple(
        _update_step(context, reached[name], change.request, compared, standbys)
        for name, change in changes.items()
        if name not in gone
    )
    settings = deploy_settings(context.desired.spec)
    update = GroupUpdate(
        observed=context.observed,
        group=context.group,
        machines={machine.id or "": machine for machine in machines},
        updates=updates,
        changing=frozenset(
            step.machine
            for step in updates
            if _differs(context, step, reached[step.machine], starts=step.machine in starting)
        ),
        starting=starting,
        app_has_checks=any(
            waiting_for(context.desired.spec, group, options).checks
            for group in process_groups(context.desired.spec)
        ),
        one_more=lambda _: _one_more(context),
        release=context.release,
        new_id=context.settings.new_id,
        options=options,
        waiting=waiting_with_tests(context),
        max_unavailable=options.max_unavailable or settings.max_unavailable,
    )
    strategy = options.strategy or cast(StrategyName, settings.strategy)
    plan = join([others, roll_out(update, strategy, replaced=gone)])
    return join([plan, behind(standbys.ends(context), plan.steps)])


def _differs(
    context: GroupContext, step: UpdateMachine, machine: models.Machine, *, starts: bool
) -> bool:
    """Whether the machine is not yet as the step makes it."""
    secrets = context.secrets
    stale = has_seen_others(machine, secrets) or bool(waiting_secrets(machine, context.observed))
    stale |= starts and Marks.of(machine).staged is not None  # its note of them must go, too
    return bool(step.differences or stale or secrets.changes or context.options.force)


def in_scope(machine: models.Machine, options: DeployOptions) -> bool:
    """Whether the options let a deploy touch the machine."""
    region, name = machine.region or "", machine.id or ""
    if options.only_regions and region not in options.only_regions:
        return False
    if options.only_machines and name not in options.only_machines:
        return False
    return region not in options.exclude_regions and name not in options.exclude_machines


def _to_start(
    context: GroupContext, machines: Sequence[models.Machine], standbys: Standbys
) -> frozenset[str]:
    """Ids of machines at rest that are to run."""
    serving = [machine for machine in machines if machine.id not in standbys.targets]
    wanted = frozenset(machine.id or "" for machine in _lacking(context, serving))
    return wanted | standbys.starting | _for_one_that_runs(context, machines, standbys.stand_ins)


def _lacking(context: GroupContext, machines: Sequence[models.Machine]) -> list[models.Machine]:
    """With `--start` all that rest.

    Else as many as `min_machines_running` lacks in the primary region: the proxy keeps so many from
    being stopped, and starts none.
    """
    resting = [machine for machine in machines if rests(machine)]
    if context.options.start:
        return resting
    spec = flatten(context.desired.spec, context.group)
    region = spec.primary_region
    services = (*spec.services, *((spec.http_service,) if spec.http_service else ()))
    wanted = max((service.min_machines_running or 0 for service in services), default=0)
    running = sum(1 for m in machines if m.region == region and not rests(m))
    return [m for m in resting if m.region == region][: max(0, wanted - running)]


def _for_one_that_runs(
    context: GroupContext, machines: Sequence[models.Machine], heirs: Mapping[str, str]
) -> frozenset[str]:
    """Those that come from another group, each for one that runs.

    `heirs` has the new one by that which goes.
    """
    default = default_group(context.desired.spec)
    running = {heirs.get(machine.id or "") for machine in machines if not rests(machine)}
    return frozenset(
        machine.id or ""
        for machine in machines
        if machine.id in running and rests(machine) and group_of(machine, default) != context.group
    )


def _change(
    context: GroupContext,
    machine: models.Machine,
    *,
    start: bool,
    counted: bool,
    place: str | None,
) -> MachineUpdate:
    """What becomes of a machine, whomever it stands by for."""
    desired = context.desired
    update = update_input(
        desired.spec,
        context.group,
        machine,
        image=desired.image,
        images=desired.images,
        release=context.release,
        files=desired.files,
        start=start,
    )
    config = update.config
    if counted:
        config = Marks(counted=LAUNCHED).stamp(config)
    config = _in_service(_from_group(context, machine, config, place))
    return evolve(update, request=evolve(update.request, config=config))


def _from_group(
    context: GroupContext,
    machine: models.Machine,
    config: models.FlyMachineConfig,
    place: str | None,
) -> models.FlyMachineConfig:
    """The config, which says where the machine comes from, as long as others are left there."""
    default = default_group(context.desired.spec)
    former, marked = group_of(machine, default), Marks.of(machine).former_group
    if former != context.group:
        return from_group(config, former, place)
    if marked and marked not in {group_of(m, default) for m in context.observed.machines}:
        return without_marks(config, {FORMER_GROUP})
    return config


def _in_service(config: models.FlyMachineConfig) -> models.FlyMachineConfig:
    """The config, which names find: a canary that is all that is left of its group becomes it."""
    if CANARY not in (config.metadata or {}):
        return config
    dns = evolve(config.dns, skip_registration=None) if config.dns else None
    return evolve(without_marks(config, {CANARY}), dns=dns)


def _update_step(
    context: GroupContext,
    machine: models.Machine,
    request: models.UpdateMachineRequest,
    compared: _Compared,
    standbys: Standbys,
) -> UpdateMachine:
    before = machine.config or models.FlyMachineConfig()
    after = request.config or models.FlyMachineConfig()
    previous = with_image_that_runs(before, machine)
    was = previous if "@" in (after.image or "") else before
    changed = compared.differences(machine, after, was)
    return UpdateMachine(
        id=update_of(machine.id or ""),
        group=context.group,
        machine=machine.id or "",
        region=machine.region,
        request=evolve(request, config=context.secrets.stamp(without_marks(after, {STAGED}))),
        previous=previous,
        instance_id=machine.instance_id or "",
        differences=changed,
        standby_for=standbys.refs(machine.id or ""),
        needs=standbys.needs(machine.id or ""),
        secrets_from=context.secrets.step,
        only_if_secrets_differ=not changed and bool(context.secrets.changes),
        starts=machine.state != "started" and not request.skip_launch,
    )


def _one_more(context: GroupContext) -> models.CreateMachineRequest:
    request = context.launch
    config = context.secrets.stamp(request.config or models.FlyMachineConfig())
    return evolve(request, config=config)


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
    """Machines start anew although their config stays as it is: to see new secrets. These are for
    every group, so that also those are waited for that have them already, and are not well yet."""
    min_secrets_version: int | None = None


def plan_reconfiguration(change: Reconfiguration) -> AppPlan:
    """Updates of the machines that differ, after what an interrupted run left.

    Raises:
        ConfigError: the strategy that the options name is impossible for a group.
        PlanError: the host of a machine that would change does not answer.
    """
    kept, leftovers = settle(change.observed, change.options, change.definition)
    plan = join([leftovers, reconfigured_groups(evolve(change, observed=kept))])
    return app_plan(change.observed, change.label, change.release, plan)


def reconfigured_groups(change: Reconfiguration) -> GroupPlan:
    """The same without what was left, to be joined with other changes of the app."""
    return join(
        _group(change, group, machines)
        for group, machines in sorted(by_group(change.observed.machines).items())
    )


def app_plan(observed: ObservedApp, label: str, release: Release, groups: GroupPlan) -> AppPlan:
    """The plan of an app for what is done to its groups, behind the leases that it needs.

    Raises ConfigError: a machine would have a size that Fly refuses.
    """
    groups = behind_replaced_ones(groups)
    refuse_gpus(observed.name, groups.steps)
    return AppPlan(
        app=observed.name,
        label=label,
        steps=held(observed, groups),
        pools=groups.pools,
        unchanged=groups.unchanged,
        machines=observed.machines,
        notes=(*groups.notes, *left_behind(observed, groups.steps)),
        release=release,
        fingerprint=fingerprint(observed),
    )


def _group(change: Reconfiguration, group: str, machines: tuple[models.Machine, ...]) -> GroupPlan:
    if not change.restart and not any(machine.id in change.configs for machine in machines):
        return GroupPlan(unchanged=tuple(machine.id or "" for machine in machines))
    check_hosts(change.observed.name, (m for m in machines if m.id in change.configs))
    updates = tuple(_step(change, group, machine) for machine in machines)
    before = {m.id or "": m.config or models.FlyMachineConfig() for m in change.observed.machines}
    settings = deploy_settings(change.definition or AppSpec())
    update = GroupUpdate(
        observed=change.observed,
        group=group,
        machines={machine.id or "": machine for machine in machines},
        updates=updates,
        changing=frozenset(
            step.machine
            for step in updates
            if step.differences or (change.restart and step.machine in change.configs)
        ),
        app_has_checks=waiting_of({**before, **change.configs}.values(), change.options).checks,
        one_more=_one_more_like,
        release=change.release,
        new_id=change.new_id,
        options=change.options,
        waiting=waiting_of([step.config for step in updates], change.options, change.definition),
        max_unavailable=change.options.max_unavailable or settings.max_unavailable,
    )
    chosen = change.options.strategy
    strategy = chosen or cast(StrategyName, settings.strategy)
    return roll_out(update, strategy, fall_back=chosen is None)


def _one_more_like(like: UpdateMachine) -> models.CreateMachineRequest:
    return models.CreateMachineRequest(
        config=new_machine_config(like.config),
        region=like.region,
        skip_secrets=False,
        min_secrets_version=like.request.min_secrets_version,
    )


def _step(change: Reconfiguration, group: str, machine: models.Machine) -> UpdateMachine:
    before = machine.config or models.FlyMachineConfig()
    wanted = with_image_that_runs(change.configs.get(machine.id or "", before), machine)
    config = deepcopy(wanted)
    add_release(config, change.release)
    resting = rests(machine)
    return UpdateMachine(
        id=update_of(machine.id or ""),
        group=group_of(models.Machine(config=config), group),
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
        standby_for=tuple(Ref(machine=name) for name in config.standbys or ()),
    )


def with_guest(
    config: models.FlyMachineConfig, guest: models.FlyMachineGuest
) -> models.FlyMachineConfig:
    """The config with another size of machine."""
    return evolve(deepcopy(config), guest=deepcopy(guest))
