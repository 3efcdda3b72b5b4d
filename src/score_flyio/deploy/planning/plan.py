"""Desired and observed → plan: which steps, in which order. Pure."""

from __future__ import annotations

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.app_step import AddCertificate, AllocateAddress, CreateApp, SetSecrets
from score_flyio.deploy.desired.checks import shortened_checks
from score_flyio.deploy.desired.guest import has_gpu
from score_flyio.deploy.desired.settings import DEFAULT_TIMEOUT, deploy_settings
from score_flyio.deploy.desired.special import release_command_input
from score_flyio.deploy.metadata import group_of
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.planning.addresses import (
    address_notes,
    address_steps,
    after_addresses,
    reached_at,
)
from score_flyio.deploy.planning.groups import plan_groups
from score_flyio.deploy.planning.holding import held
from score_flyio.deploy.planning.model import (
    AppPlan,
    GroupPlan,
    PlanContext,
    PlanSettings,
    facts,
    fingerprint,
)
from score_flyio.deploy.planning.new_machine import options_guest, refuse_gpus
from score_flyio.deploy.planning.notes import notes_of
from score_flyio.deploy.planning.secrets import SET_SECRETS, plan_secrets
from score_flyio.deploy.releases.known import next_number
from score_flyio.deploy.step import DestroyMachine, RunReleaseCommand, Step
from score_flyio.flytoml.groups import default_group
from score_flyio.state.deployments import Release


def plan_app(desired: DesiredApp, observed: ObservedApp, settings: PlanSettings) -> AppPlan:
    """The whole plan of one app; empty when nothing has to change.

    Raises:
        InputError: the fly.toml cannot be turned into machine configs.
        DestructiveChange: machines would be deleted without consent.
    """
    release = Release(
        id=settings.new_id(),
        version=next_number(observed.machines, settings.known.releases),
        tool_version=settings.tool_version,
    )
    platform = platform_steps(desired, observed, settings)
    context = PlanContext(
        desired=desired,
        observed=observed,
        settings=settings,
        release=release,
        secrets=plan_secrets(desired.secrets, settings.known, observed.secrets),
    )
    steps: list[Step] = list(platform)
    app_ready = tuple(step.id for step in platform if isinstance(step, CreateApp))
    steps += [
        AddCertificate(id=f"certificate:{hostname}", hostname=hostname, needs=app_ready)
        for hostname in desired.hostnames
        if hostname not in observed.certificates
    ]
    if changes := context.secrets.changes:
        values = {name: desired.secrets[name] for name in changes}
        steps.append(SetSecrets(id=SET_SECRETS, values=values, changes=changes, needs=app_ready))
    groups = plan_groups(context)
    addresses = tuple(step.id for step in platform if isinstance(step, AllocateAddress))
    steps += after_addresses(_machine_steps(context, groups, before=app_ready), addresses)
    refuse_gpus(desired.name, steps)
    return AppPlan(
        app=desired.name,
        label=desired.label,
        steps=tuple(steps),
        pools=groups.pools,
        unchanged=groups.unchanged,
        machines=observed.machines,
        notes=(
            *groups.notes,
            *notes_of(context, steps),
            *shortened_checks(desired.spec),
            *address_notes(desired, observed, settings.options, platform),
        ),
        release=release,
        secret_names=tuple(sorted(desired.secrets)),
        fingerprint=fingerprint(observed),
        seen=facts(observed),
        url=reached_at(desired, observed, steps),
    )


def platform_steps(
    desired: DesiredApp, observed: ObservedApp, settings: PlanSettings
) -> tuple[Step, ...]:
    """The steps that need nothing of the workload's resources: the app and its addresses."""
    addresses = address_steps(desired, observed, settings.options)
    if observed.exists:
        return addresses
    app = CreateApp(id="app", app=desired.name, org=desired.org)
    return (app, *(step.after(app.id) for step in addresses))


def _machine_steps(
    context: PlanContext, groups: GroupPlan, *, before: tuple[str, ...]
) -> list[Step]:
    """All steps on machines and volumes, behind the release command where there is one."""
    if not groups.steps:
        return []
    gate = (*before, *((SET_SECRETS,) if groups.uses_secrets else ()))
    first: list[Step] = []
    if groups.certain and not context.options.skip_release_command:
        first = _release_command(context, needs=gate)
        gate = (*gate, *(step.id for step in first))
    return [*first, *held(context.observed, groups, before=gate)]


def _release_command(context: PlanContext, *, needs: tuple[str, ...]) -> list[Step]:
    """A leftover of an earlier run goes first, then the command runs."""
    desired, observed = context.desired, context.observed
    section = desired.spec.deploy
    if section is None or not section.release_command:
        return []
    reason = "a release command machine that an earlier run left behind"
    removals: list[Step] = [
        evolve(DestroyMachine.of(machine.id or "", reason=reason), unless_held=True)
        for machine in observed.leftovers
    ]
    timeout = context.options.release_command_timeout
    if timeout is None:
        timeout = deploy_settings(desired.spec).release_command_timeout.seconds
    request = release_command_input(
        desired.spec,
        image=desired.image,
        release=context.release,
        files=desired.files,
        existing=_default_guests(desired, observed),
        guest=options_guest(context.options),
    )
    if request is None:
        return []
    run = RunReleaseCommand(
        id="release",
        request=evolve(request, region=request.region or context.settings.default_region or None),
        command=section.release_command,
        timeout=timeout or DEFAULT_TIMEOUT.seconds,
        launch_id=context.settings.new_id(),
        secrets_from=SET_SECRETS if SET_SECRETS in needs else None,
        needs=(*needs, *(step.id for step in removals)),
    )
    return [*removals, run]


def _default_guests(desired: DesiredApp, observed: ObservedApp) -> list[models.FlyMachineGuest]:
    """Sizes of the machines of the default group, without those that Fly refuses."""
    group = default_group(desired.spec)
    return [
        machine.config.guest
        for machine in observed.machines
        if group_of(machine, group) == group
        and machine.config
        and machine.config.guest
        and not has_gpu(machine.config.guest)
    ]
