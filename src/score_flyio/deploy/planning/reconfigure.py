"""New configs for machines that exist, given in an order that keeps the app serving. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.machine_config import add_release
from score_flyio.deploy.desired.update import skip_launch
from score_flyio.deploy.metadata import RELEASE_VERSION
from score_flyio.deploy.model import ObservedApp, Release
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.group_plan import GroupPlan, join
from score_flyio.deploy.planning.groups import by_group
from score_flyio.deploy.planning.plan import AppPlan, fingerprint
from score_flyio.deploy.planning.strategies.immediate import immediate
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Waiting
from score_flyio.deploy.planning.strategies.rolling import rolling
from score_flyio.deploy.planning.waiting import WAIT_TIMEOUT
from score_flyio.deploy.step import HoldMachines, UpdateMachine
from score_flyio.deploy.verdict import count_checks
from score_flyio.fly.present import metadata


@frozen(kw_only=True)
class Reconfiguration:
    """What becomes of the machines of one app."""

    observed: ObservedApp
    label: str
    configs: Mapping[str, models.FlyMachineConfig]
    """By machine id, without the marks of the release."""
    release: Release
    options: DeployOptions = field(factory=DeployOptions)
    restart: bool = False
    """Machines start anew although their config stays as it is: to see new secrets."""
    min_secrets_version: int | None = None


def plan_reconfiguration(change: Reconfiguration) -> AppPlan:
    """Updates of the machines that differ, rolling or all at once."""
    groups = join(
        _group(change, group, machines)
        for group, machines in sorted(by_group(change.observed.machines, default="app").items())
    )
    return app_plan(change.observed, change.label, change.release, groups)


def app_plan(observed: ObservedApp, label: str, release: Release, groups: GroupPlan) -> AppPlan:
    """The plan of an app for what is done to its groups, behind the leases that it needs."""
    hold = HoldMachines(id="hold", app=observed.name, machines=groups.leases)
    ids = {step.id for step in groups.steps}
    behind = [step if ids & set(step.needs) else step.after(hold.id) for step in groups.steps]
    return AppPlan(
        app=observed.name,
        label=label,
        steps=(hold, *behind) if groups.leases else groups.steps,
        pools=groups.pools,
        unchanged=groups.unchanged,
        notes=groups.notes,
        release=release,
        fingerprint=fingerprint(observed),
    )


def next_release(observed: ObservedApp) -> int:
    """The number after the highest that any machine carries."""
    found = [metadata(machine).get(RELEASE_VERSION, "") for machine in observed.machines]
    return max((int(text) for text in found if text.isdigit()), default=0) + 1


def waiting_of(configs: Iterable[models.FlyMachineConfig], options: DeployOptions) -> Waiting:
    """What is waited for after machines got these configs."""
    checks = any(count_checks(models.Machine(config=config)).configured for config in configs)
    return Waiting(
        timeout=options.wait_timeout or WAIT_TIMEOUT,
        checks=checks,
        smoke_window=options.smoke_window if options.smoke_checks else 0.0,
        detach=options.detach,
    )


def serves(machine: models.Machine) -> bool:
    """Whether the machine runs, or is on its way there."""
    return not skip_launch(machine.state, machine.config or models.FlyMachineConfig())


def _group(change: Reconfiguration, group: str, machines: tuple[models.Machine, ...]) -> GroupPlan:
    steps = [step for machine in machines if (step := _step(change, group, machine)) is not None]
    changing = {step.machine for step in steps}
    unchanged = GroupPlan(unchanged=tuple(m.id or "" for m in machines if m.id not in changing))
    if not steps:
        return unchanged
    options = change.options
    configs = [step.request.config or models.FlyMachineConfig() for step in steps]
    update = GroupUpdate(
        app=change.observed.name,
        group=group,
        running=tuple(step for step in steps if not step.request.skip_launch),
        resting=tuple(step for step in steps if step.request.skip_launch),
        size=sum(1 for machine in machines if serves(machine)),
        max_unavailable=options.max_unavailable or 0.33,
        concurrency=options.concurrency,
        waiting=waiting_of(configs, options),
    )
    ordered = (immediate if options.strategy == "immediate" else rolling)(update)
    done = GroupPlan(steps=ordered.steps, pools=ordered.pools, leases=tuple(sorted(changing)))
    return join([done, unchanged])


def _step(change: Reconfiguration, group: str, machine: models.Machine) -> UpdateMachine | None:
    wanted = change.configs.get(machine.id or "")
    if wanted is None:
        return None
    before = machine.config or models.FlyMachineConfig()
    changed = differences(wanted, before)
    if not changed and not change.restart:
        return None
    config = deepcopy(wanted)
    add_release(config, change.release)
    return UpdateMachine(
        id=f"update:{machine.id}",
        app=change.observed.name,
        group=group,
        machine=machine.id or "",
        region=machine.region,
        request=models.UpdateMachineRequest(
            config=config,
            region=machine.region,
            skip_launch=skip_launch(machine.state, config),
            skip_secrets=False,
            min_secrets_version=change.min_secrets_version,
        ),
        previous=before,
        instance_id=machine.instance_id or "",
        differences=changed,
    )


def with_guest(
    config: models.FlyMachineConfig, guest: models.FlyMachineGuest
) -> models.FlyMachineConfig:
    """The config with another size of machine."""
    return evolve(deepcopy(config), guest=deepcopy(guest))
