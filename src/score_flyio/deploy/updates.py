"""The machines that a group already has: which of them change, how, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.desired.update import MachineUpdate, update_input
from score_flyio.deploy.metadata import CANARY, metadata
from score_flyio.deploy.model import DesiredApp, ObservedApp, Release
from score_flyio.deploy.options import DeployOptions, StrategyName
from score_flyio.deploy.replacements import replacement_steps
from score_flyio.deploy.secrets import SEEN_KEY, SecretsPlan
from score_flyio.deploy.sizes import options_guest
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.deploy.strategies import STRATEGIES, GroupUpdate
from score_flyio.deploy.strategies.bluegreen import TAG_KEY
from score_flyio.deploy.waiting import waiting_for
from score_flyio.errors import ConfigError

if TYPE_CHECKING:
    from score_flyio.deploy.groups import GroupPlan
    from score_flyio.deploy.plan import PlanSettings

RUNNING = frozenset({"started", "starting", "failed"})
"""States of machines that serve, or should."""


@frozen(kw_only=True)
class _Change:
    """One machine and what it becomes."""

    machine: models.Machine
    update: MachineUpdate
    step: UpdateMachine | None
    """None: it already is as it should be."""


def update_steps(
    desired: DesiredApp,
    group: str,
    machines: tuple[models.Machine, ...],
    observed: ObservedApp,
    settings: PlanSettings,
    *,
    release: Release,
    secrets: SecretsPlan,
) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy."""
    from score_flyio.deploy.groups import GroupPlan, join

    options = settings.options
    considered = [machine for machine in machines if _in_scope(machine, options)]
    changes = [
        _change(desired, group, machine, release=release, secrets=secrets) for machine in considered
    ]
    replaced = [c for c in changes if c.update.requires_replacement or not _host_ok(c.machine)]
    plain = [c for c in changes if c not in replaced]
    plans = [
        replacement_steps(
            desired,
            group,
            [(c.machine, c.update) for c in replaced],
            observed=observed,
            settings=settings,
            secrets=secrets,
        )
    ]
    strategy = _strategy(desired, options)
    if strategy == "bluegreen" and any(c.step for c in plain):
        steps = [
            c.step or _update_step(desired, group, c.machine, c.update, secrets) for c in plain
        ]
    else:
        steps = [c.step for c in plain if c.step is not None]
    if steps:
        update = _group_update(
            desired, group, steps, machines, settings=settings, release=release, secrets=secrets
        )
        ordered = STRATEGIES[strategy](update)
        leases = tuple(step.machine for step in steps)
        plans.append(GroupPlan(steps=ordered.steps, pools=ordered.pools, leases=leases))
    changing = {step.machine for step in steps} | {c.machine.id for c in replaced}
    unchanged = tuple(m.id for m in machines if m.id and m.id not in changing)
    return join([*plans, GroupPlan(unchanged=unchanged)])


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
    stale = secrets.seen is not None and seen is not None and seen != secrets.seen
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
        size=sum(1 for machine in machines if machine.state in RUNNING),
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
                green=_greens(desired, group, steps, update, settings=settings, release=release),
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
    from score_flyio.deploy.launches import with_secrets_seen

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


def _greens(
    desired: DesiredApp,
    group: str,
    steps: list[UpdateMachine],
    update: GroupUpdate,
    *,
    settings: PlanSettings,
    release: Release,
) -> dict[str, CreateMachine]:
    """One green machine for each blue one, created in turn so that the platform spreads them."""
    if not update.waiting.checks:
        raise ConfigError(
            f"app {desired.name}: strategy bluegreen needs a check in group {group}, "
            "to know when the new machines can take over",
            hint="add a check to fly.toml or a probe to the Score file, or use --strategy rolling",
        )
    greens: dict[str, CreateMachine] = {}
    previous: tuple[str, ...] = ()
    for number, step in enumerate(steps, start=1):
        config = step.request.config or models.FlyMachineConfig()
        if config.mounts:
            raise ConfigError(
                f"app {desired.name}: strategy bluegreen cannot be used for group {group}, "
                "whose machines have volumes: a volume cannot be in two machines",
                hint="use --strategy rolling",
            )
        launch = settings.new_id()
        marks = {TAG_KEY: release.id, "fly_flyctl_bluegreen_launch_id": launch}
        green = evolve(config, metadata={**(config.metadata or {}), **marks}, standbys=None)
        made = CreateMachine(
            id=f"green:{step.machine}",
            app=desired.name,
            group=group,
            request=models.CreateMachineRequest(
                config=green,
                region=step.region,
                skip_launch=step.request.skip_launch,
                skip_service_registration=True,
            ),
            launch_id=launch,
            number=number,
            of=len(steps),
            role="green",
            secrets_from=step.secrets_from,
            previous=step.machine,
            needs=previous,
        )
        previous = (made.id,)
        greens[step.machine] = made
    return greens
