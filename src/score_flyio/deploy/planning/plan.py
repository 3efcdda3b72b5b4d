"""Desired and observed → plan: which steps, in which order. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from fly_machines import models
from score_flyio.deploy.desired.checks import shortened_checks
from score_flyio.deploy.metadata import last_release
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.addresses import address_steps, after_addresses
from score_flyio.deploy.planning.calls import calls
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings
from score_flyio.deploy.planning.groups import plan_groups
from score_flyio.deploy.planning.release_command import release_command_steps
from score_flyio.deploy.planning.secrets import SecretsPlan, plan_secrets
from score_flyio.deploy.releases.known import next_number
from score_flyio.deploy.step import (
    MUTATING,
    AddCertificate,
    AllocateAddress,
    CreateApp,
    HoldMachines,
    SetSecrets,
    Step,
    UpdateMachine,
)
from score_flyio.state.deployments import Release


@frozen(kw_only=True)
class AppPlan:
    """What is done to one app."""

    app: str
    label: str
    """The workload, or the app where there is none."""
    steps: tuple[Step, ...]
    pools: Mapping[str, int] = field(factory=dict)
    """How many slots each pool has."""
    launches: tuple[str, ...] = ()
    """Launches that are complete when all steps are done."""
    unchanged: tuple[str, ...] = ()
    """Machines that already are as they should be."""
    machines: tuple[models.Machine, ...] = field(default=(), repr=False)
    """Those of the app as they were when the plan was made."""
    notes: tuple[str, ...] = ()
    """What a person should know beside the steps."""
    release: Release
    secret_names: tuple[str, ...] = ()
    """The secrets that the workload has, set now or before."""
    fingerprint: str = ""
    """Of what was observed; another one at execution means that the plan is stale."""

    @property
    def empty(self) -> bool:
        """Nothing at Fly would change; there may still be machines to wait for."""
        return not any(isinstance(step, MUTATING) for step in self.steps)


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
    platform = platform_steps(desired, observed, settings.options)
    secrets = plan_secrets(desired.secrets, settings.known, observed.secrets)
    steps: list[Step] = list(platform)
    app_ready = tuple(step.id for step in platform if isinstance(step, CreateApp))
    steps += _certificate_steps(desired, observed, app_ready)
    if secrets.changes:
        steps.append(_set_secrets(desired, secrets, app_ready))
    groups = plan_groups(desired, observed, settings, release=release, secrets=secrets)
    addresses = tuple(step.id for step in platform if isinstance(step, AllocateAddress))
    groups = evolve(groups, steps=after_addresses(groups.steps, addresses))
    steps += _machine_steps(desired, observed, settings, release, groups, before=app_ready)
    return AppPlan(
        app=desired.name,
        label=desired.label,
        steps=tuple(steps),
        pools=groups.pools,
        launches=groups.launches,
        unchanged=groups.unchanged,
        machines=observed.machines,
        notes=(*groups.notes, *shortened_checks(desired.spec)),
        release=release,
        secret_names=tuple(sorted(desired.secrets)),
        fingerprint=fingerprint(observed),
    )


def empty_plan(desired: DesiredApp, observed: ObservedApp) -> AppPlan:
    """A plan that does nothing."""
    return AppPlan(
        app=desired.name,
        label=desired.label,
        steps=(),
        release=Release(id="", version=last_release(observed.machines), tool_version=""),
        fingerprint=fingerprint(observed),
    )


def platform_steps(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[Step, ...]:
    """The steps that need nothing of the workload's resources: the app and its addresses."""
    steps: list[Step] = []
    if not observed.exists:
        steps.append(CreateApp(id="app", app=desired.name, org=desired.org))
    before = tuple(step.id for step in steps)
    steps += [step.after(*before) for step in address_steps(desired, observed, options)]
    return tuple(steps)


def _certificate_steps(
    desired: DesiredApp, observed: ObservedApp, needs: tuple[str, ...]
) -> list[Step]:
    return [
        AddCertificate(
            id=f"certificate:{hostname}", app=desired.name, hostname=hostname, needs=needs
        )
        for hostname in desired.hostnames
        if hostname not in observed.certificates
    ]


def _set_secrets(desired: DesiredApp, secrets: SecretsPlan, needs: tuple[str, ...]) -> SetSecrets:
    values = {name: desired.secrets[name] for name in secrets.changes}
    return SetSecrets(
        id="secrets", app=desired.name, values=values, changes=secrets.changes, needs=needs
    )


def _machine_steps(
    desired: DesiredApp,
    observed: ObservedApp,
    settings: PlanSettings,
    release: Release,
    groups: GroupPlan,
    *,
    before: tuple[str, ...],
) -> list[Step]:
    """All steps on machines and volumes, behind the release command where there is one."""
    if not groups.steps:
        return []
    gate = (*before, *(("secrets",) if groups.uses_secrets else ()))
    first: list[Step] = []
    if not settings.options.skip_release_command:
        first = release_command_steps(desired, observed, settings, release, needs=gate)
        if not groups.certain:
            first = []
        gate = (*gate, *(step.id for step in first))
    if groups.leases:
        hold = HoldMachines(id="hold", app=desired.name, machines=groups.leases, needs=gate)
        first.append(hold)
        gate = (*gate, hold.id)
    ids = {step.id for step in groups.steps}
    rest = [
        step if any(need in ids for need in step.needs) else step.after(*gate)
        for step in groups.steps
    ]
    return [*first, *rest]


def fingerprint(observed: ObservedApp) -> str:
    """A short text that changes when anything changes that a plan depends on."""
    parts: list[Any] = [observed.name, observed.exists]
    parts += [(m.id, m.instance_id, m.state) for m in observed.machines]
    parts += [(v.id, v.attached_machine_id) for v in observed.volumes]
    parts += sorted(a.ip or "" for a in observed.addresses)
    parts += sorted(observed.secrets.items())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def describe_app(plan: AppPlan, *, show_calls: bool = False) -> str:
    """One app's part of the plan, a line a step, with what changes in each machine.

    `show_calls` adds the calls of the Machines API that each step makes.
    """
    title = plan.label if plan.label == plan.app else f"{plan.label} (app {plan.app})"
    lines = [f"{title}:" if plan.steps else f"{title}: nothing to do"]
    for step in plan.steps:
        lines.append(f"  {step.describe()}")
        if isinstance(step, UpdateMachine):
            lines += [f"      {difference}" for difference in step.differences]
        if show_calls:
            lines += [f"      > {call}" for call in calls(step)]
    lines += [f"  note: {note}" for note in plan.notes]
    return "\n".join(lines)
