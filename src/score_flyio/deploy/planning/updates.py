"""The machines that a group already has: which of them change, how, and in which order."""

from __future__ import annotations

from typing import cast

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.desired.update import MachineUpdate, update_input
from score_flyio.deploy.metadata import TOOL_VERSION
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions, StrategyName
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings, join
from score_flyio.deploy.planning.hosts import host_answers
from score_flyio.deploy.planning.launches import with_secrets_seen
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.replacements import replacement_steps
from score_flyio.deploy.planning.rollout import Rollout, roll_out
from score_flyio.deploy.planning.secrets import SEEN_KEY, SecretsPlan
from score_flyio.deploy.planning.sizes import options_guest
from score_flyio.deploy.planning.unsettled import is_well
from score_flyio.deploy.planning.waiting import waiting_for
from score_flyio.deploy.releases.images import with_image_that_runs
from score_flyio.deploy.step import UpdateMachine
from score_flyio.fly.present import metadata
from score_flyio.state.deployments import Release

OWN_TOOL = "score-flyio/"
"""How `TOOL_VERSION` begins on machines that this program configured last."""


@frozen(kw_only=True)
class _Change:
    """One machine and what it becomes."""

    machine: models.Machine
    update: MachineUpdate
    step: UpdateMachine | None = None
    """None: it has to be replaced."""
    differs: bool = True
    """Whether it is not yet as it should be."""

    @property
    def replaced(self) -> bool:
        return self.update.requires_replacement or not host_answers(self.machine)


def update_steps(
    desired: DesiredApp,
    group: str,
    members: Members,
    observed: ObservedApp,
    settings: PlanSettings,
    *,
    release: Release,
    secrets: SecretsPlan,
    taken: set[str],
) -> GroupPlan:
    """Only machines that differ are touched, in the order of the strategy.

    `taken` are the free volumes that another new machine of the app gets.
    """
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
            taken=taken,
        )
    ]
    rollout = Rollout(
        app=desired.name,
        group=group,
        strategy=_strategy(desired, options),
        machines=machines,
        updates=tuple(c.step for c in plain if c.step is not None),
        changing=frozenset(c.machine.id or "" for c in plain if c.differs),
        one_more=lambda _: _one_more(desired, group, options, release, secrets),
        release=release,
        new_id=settings.new_id,
        options=options,
        waiting=waiting_for(desired.spec, group, options),
        max_unavailable=options.max_unavailable or deploy_settings(desired.spec).max_unavailable,
    )
    plans.append(roll_out(rollout))
    changing = {step.machine for step in rollout.steps} | {c.machine.id for c in replaced}
    unchanged = tuple(m.id for m in machines if m.id and m.id not in changing)
    return join([*plans, GroupPlan(unchanged=unchanged)])


def _in_scope(machine: models.Machine, options: DeployOptions) -> bool:
    region = machine.region or ""
    if options.only_regions and region not in options.only_regions:
        return False
    return region not in options.exclude_regions


def _strategy(desired: DesiredApp, options: DeployOptions) -> StrategyName:
    return options.strategy or cast(StrategyName, deploy_settings(desired.spec).strategy)


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
    if not is_well(machine, checks=False):  # one that crashed until it was given up starts again
        update = evolve(update, request=evolve(update.request, skip_launch=False))
    if update.requires_replacement or not host_answers(machine):
        return _Change(machine=machine, update=update)
    step = _update_step(desired, group, machine, update, secrets)
    seen = metadata(machine).get(SEEN_KEY)
    told = seen is not None or metadata(machine).get(TOOL_VERSION, "").startswith(OWN_TOOL)
    stale = secrets.seen is not None and told and seen != secrets.seen
    differs = bool(step.differences or stale or secrets.changes)
    return _Change(machine=machine, update=update, step=step, differs=differs)


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
        previous=with_image_that_runs(before, machine),
        instance_id=machine.instance_id or "",
        differences=changed,
        secrets_from="secrets" if secrets.changes else None,
        only_if_secrets_differ=not changed and bool(secrets.changes),
        starts=machine.state != "started" and not request.skip_launch,
    )


def _one_more(
    desired: DesiredApp,
    group: str,
    options: DeployOptions,
    release: Release,
    secrets: SecretsPlan,
) -> models.CreateMachineRequest:
    request = launch_plan(
        desired.spec,
        group,
        image=desired.image,
        release=release,
        files=desired.files,
        guest=options_guest(options),
    ).first
    return with_secrets_seen(request, secrets)
