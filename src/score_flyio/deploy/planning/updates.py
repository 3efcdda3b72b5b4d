"""The machines that a group already has: which of them change, how, and in which order."""

from __future__ import annotations

from typing import cast

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.desired.update import RESTING, MachineUpdate, update_input
from score_flyio.deploy.metadata import CANARY, TOOL_VERSION
from score_flyio.deploy.model import DesiredApp, ObservedApp, Release
from score_flyio.deploy.options import DeployOptions, StrategyName
from score_flyio.deploy.planning.greens import greens
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings, join
from score_flyio.deploy.planning.launches import with_secrets_seen
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.replacements import replacement_steps
from score_flyio.deploy.planning.secrets import SEEN_KEY, SecretsPlan
from score_flyio.deploy.planning.sizes import options_guest
from score_flyio.deploy.planning.strategies import STRATEGIES, GroupUpdate
from score_flyio.deploy.planning.unsettled import awaits, is_well
from score_flyio.deploy.planning.waiting import waiting_for
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.fly.present import metadata

OWN_TOOL = "score-flyio/"
"""How `TOOL_VERSION` begins on machines that this program configured last."""


@frozen(kw_only=True)
class _Change:
    """One machine and what it becomes."""

    machine: models.Machine
    update: MachineUpdate
    step: UpdateMachine | None
    """None: it already is as it should be."""

    @property
    def replaced(self) -> bool:
        return self.update.requires_replacement or not _host_ok(self.machine)


def update_steps(
    desired: DesiredApp,
    group: str,
    members: Members,
    observed: ObservedApp,
    settings: PlanSettings,
    *,
    release: Release,
    secrets: SecretsPlan,
) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy."""
    options, machines = settings.options, members.machines
    scope = [machine for machine in machines if _in_scope(machine, options)]
    changes = [_change(desired, group, m, release=release, secrets=secrets) for m in scope]
    replaced = [c for c in changes if c.replaced or c.machine.id in members.stand_ins]
    plain = [c for c in changes if c not in replaced]
    plans = [
        replacement_steps(
            desired,
            group,
            [(c.machine, c.update) for c in replaced],
            observed=observed,
            settings=settings,
            secrets=secrets,
            members=members,
        )
    ]
    strategy = _strategy(desired, options)
    if strategy == "bluegreen" and any(c.step for c in plain):
        steps = [
            c.step or _update_step(desired, group, c.machine, c.update, secrets) for c in plain
        ]
    else:
        steps = _worst_first(plain)
    same = [c.machine for c in plain if c.machine.id not in _machines(steps)]
    waits = awaits(desired, group, same, options, strategy=strategy)
    plans.append(GroupPlan(steps=waits))
    if steps:
        update = _group_update(
            desired, group, steps, machines, settings=settings, release=release, secrets=secrets
        )
        ordered = STRATEGIES[strategy](evolve(update, before=tuple(step.id for step in waits)))
        leases = tuple(step.machine for step in steps)
        plans.append(GroupPlan(steps=ordered.steps, pools=ordered.pools, leases=leases))
    changing = _machines(steps) | {c.machine.id for c in replaced}
    unchanged = tuple(m.id for m in machines if m.id and m.id not in changing)
    return join([*plans, GroupPlan(unchanged=unchanged)])


def _machines(steps: list[UpdateMachine]) -> set[str | None]:
    return {step.machine for step in steps}


def _worst_first(changes: list[_Change]) -> list[UpdateMachine]:
    """Machines that do not serve anyway are the first to change."""
    ordered = sorted(changes, key=lambda change: is_well(change.machine, checks=True))
    return [change.step for change in ordered if change.step is not None]


def _in_scope(machine: models.Machine, options: DeployOptions) -> bool:
    region = machine.region or ""
    if options.only_regions and region not in options.only_regions:
        return False
    return region not in options.exclude_regions


def _host_ok(machine: models.Machine) -> bool:
    return (machine.host_status or "ok") == "ok"


def _strategy(desired: DesiredApp, options: DeployOptions) -> StrategyName:
    section = desired.spec.deploy
    name = options.strategy or (section.strategy if section else "") or "rolling"
    return cast(StrategyName, name)


def _change(
    desired: DesiredApp,
    group: str,
    machine: models.Machine,
    *,
    release: Release,
    secrets: SecretsPlan,
) -> _Change:
    update = update_input(
        desired.spec, group, machine, image=desired.image, release=release, files=desired.files
    )
    if update.requires_replacement or not _host_ok(machine):
        return _Change(machine=machine, update=update, step=None)
    step = _update_step(desired, group, machine, update, secrets)
    seen = metadata(machine).get(SEEN_KEY)
    told = seen is not None or metadata(machine).get(TOOL_VERSION, "").startswith(OWN_TOOL)
    stale = secrets.seen is not None and told and seen != secrets.seen
    if step.differences or stale or secrets.changes:
        return _Change(machine=machine, update=update, step=step)
    return _Change(machine=machine, update=update, step=None)


def _update_step(
    desired: DesiredApp,
    group: str,
    machine: models.Machine,
    update: MachineUpdate,
    secrets: SecretsPlan,
) -> UpdateMachine:
    before = machine.config or models.FlyMachineConfig()
    after = update.request.config or models.FlyMachineConfig()
    changed = differences(after, before)
    request = update.request
    if not is_well(machine, checks=False):  # one that crashed until it was given up starts again
        request = evolve(request, skip_launch=False)
    if secrets.seen is not None:
        found = {**(after.metadata or {}), SEEN_KEY: secrets.seen}
        request = evolve(request, config=evolve(after, metadata=found))
    return UpdateMachine(
        id=f"update:{machine.id}",
        app=desired.name,
        group=group,
        machine=machine.id or "",
        region=machine.region,
        request=request,
        previous=before,
        instance_id=machine.instance_id or "",
        differences=changed,
        secrets_from="secrets" if secrets.changes else None,
        only_if_secrets_differ=not changed and bool(secrets.changes),
    )


def _group_update(
    desired: DesiredApp,
    group: str,
    steps: list[UpdateMachine],
    machines: tuple[models.Machine, ...],
    *,
    settings: PlanSettings,
    release: Release,
    secrets: SecretsPlan,
) -> GroupUpdate:
    options = settings.options
    section = desired.spec.deploy
    in_file = section.max_unavailable if section else None
    running = [step for step in steps if not step.request.skip_launch]
    update = GroupUpdate(
        app=desired.name,
        group=group,
        running=tuple(running),
        resting=tuple(step for step in steps if step.request.skip_launch),
        size=sum(1 for machine in machines if machine.state not in RESTING),
        max_unavailable=options.max_unavailable or in_file or 0.33,
        concurrency=options.concurrency,
        waiting=waiting_for(desired.spec, group, options),
        bluegreen_pause=options.bluegreen_pause,
    )
    match _strategy(desired, options):
        case "canary" if running:
            made = _canary(desired, group, settings, release, secrets)
            return evolve(update, canary=made)
        case "bluegreen":
            return evolve(
                update,
                green=greens(
                    desired, steps, update, machines=machines, settings=settings, release=release
                ),
            )
        case _:
            return update


def _canary(
    desired: DesiredApp,
    group: str,
    settings: PlanSettings,
    release: Release,
    secrets: SecretsPlan,
) -> CreateMachine:
    request = launch_plan(
        desired.spec,
        group,
        image=desired.image,
        release=release,
        files=desired.files,
        guest=options_guest(settings.options),
    ).first
    request = evolve(request, lease_ttl=None)
    config = request.config or models.FlyMachineConfig()
    config = evolve(
        config,
        metadata={**(config.metadata or {}), CANARY: "true"},
        dns=evolve(config.dns or models.FlyDNSConfig(), skip_registration=True),
    )
    return CreateMachine(
        id=f"canary:{group}",
        app=desired.name,
        group=group,
        request=with_secrets_seen(evolve(request, config=config), secrets),
        launch_id=settings.new_id(),
        number=1,
        of=1,
        role="canary",
        secrets_from="secrets" if secrets.changes else None,
    )
