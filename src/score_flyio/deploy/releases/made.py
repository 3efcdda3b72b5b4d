"""What a run made: the release to remember, enough to go back to it, and what Fly is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.base.ulid import time_of
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.execution.context import MadeMachine
from score_flyio.deploy.execution.execute import AppResult, StepResult
from score_flyio.deploy.metadata import BACK_TO, Launch, Marks, group_of, release_number
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.releases.announce import with_release
from score_flyio.deploy.releases.images import digest_of
from score_flyio.deploy.releases.in_metadata import lasting, past_releases
from score_flyio.deploy.step import (
    CreateMachine,
    DestroyMachine,
    RunReleaseCommand,
    Step,
    UpdateMachine,
)
from score_flyio.fly.codec import unstructure
from score_flyio.fly.present import LAUNCH_KEY, is_standby, metadata
from score_flyio.fly.releases import Notice, Status
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.write import to_json
from score_flyio.state.deployments import DeploymentRecord, Member, Release


def notice_of(plan: AppPlan, spec: AppSpec, options: DeployOptions) -> Notice:
    """What Fly is told of the release that a plan makes."""
    images = [s.config.image for s in plan.steps if isinstance(s, CreateMachine | UpdateMachine)]
    return Notice(
        app=plan.app,
        definition=to_json(evolve(spec, app=plan.app)),
        image=next((image for image in images if image), ""),
        strategy=options.strategy or deploy_settings(spec).strategy,
    )


def changes_machines(plan: AppPlan) -> bool:
    """Whether a machine surely changes, whatever setting secrets brings."""
    return any(
        isinstance(step, CreateMachine | DestroyMachine | RunReleaseCommand)
        or (isinstance(step, UpdateMachine) and not step.only_if_secrets_differ)
        for step in plan.steps
    )


def ending(result: AppResult) -> tuple[Status, str]:
    """How the release ended, and why it failed."""
    if result.failures:
        return "failed", result.failures[0].message
    return "complete", ""


def leaving(plan: AppPlan, known: DeploymentRecord) -> dict[str, Member]:
    """The machines of groups of which the plan leaves none, with those that are gone already."""
    stay = _groups_after(plan, plan.steps)
    going = {
        m.id or "": _member(m, group_of(m)) for m in _with_standbys(plan) if group_of(m) not in stay
    }
    return {**_left_before(plan, known), **going} if going else {}


def made_release(
    result: AppResult,
    known: DeploymentRecord,
    *,
    at: float,
    groups_leave: bool = True,
    groups_after: tuple[str, ...] = (),
) -> Release | None:
    """The machine config of each group that the release changed; secrets are not part of it.

    With it comes what the records of releases so far do not tell: what a run before this one
    changed that was cut short, so that nothing was remembered of it. A run that only finds this
    out, or destroys what is left, gives the last release that was made: no machine has its own
    number.
    Images stand in it with their digests, so that going back brings the very same ones. None where
    no machine was changed: that is no release.

    Unless `groups_leave` where they have no machines, they are only scaled to nothing. What groups
    there are after the run, with or without machines, is told where it is known.
    """
    configs: dict[str, models.FlyMachineConfig] = {}
    done, version = result.done, 0
    if any(isinstance(r.step, CreateMachine | UpdateMachine) for r in done):
        version = result.plan.release.version
    for group, (given, made) in _latest(done).items():
        config = with_release(given, result.plan.release)
        configs[group] = lasting(config, made.digest if isinstance(made, MadeMachine) else None)
    for machine in _left_alone(result):
        group, number = group_of(machine), release_number(metadata(machine))
        if group not in configs and machine.config and number > _newest(known.releases, group):
            configs[group] = lasting(machine.config, digest_of(machine))
            version = max(version, number)
    left = _left_before(result.plan, known)
    if (
        groups_leave
        and not version
        and (left or any(isinstance(r.step, DestroyMachine) for r in done))
    ):
        version = result.plan.release.version
    if not version:
        return None
    return Release(
        version=version,
        at=at,
        image=min((config.image or "" for config in configs.values()), default=""),
        configs={group: unstructure(config) for group, config in configs.items()},
        members=_members(result, known.releases, left) if groups_leave else {},
        all_groups=groups_after,
    )


def all_groups(result: AppResult) -> tuple[str, ...]:
    """The groups of an app that was brought to all that its file says: each has machines."""
    done = [each.step for each in result.done]
    return tuple(sorted(group for group in _groups_after(result.plan, done) if group))


def _latest(done: Iterable[StepResult]) -> dict[str, tuple[models.FlyMachineConfig, Any]]:
    """The config that a machine of each group got last, and how the step left that machine."""
    return {
        r.step.group: (r.step.request.config, r.value)
        for r in done
        if isinstance(r.step, CreateMachine | UpdateMachine)
        and r.step.group
        and r.step.request.config
    }


def _left_before(plan: AppPlan, known: DeploymentRecord) -> dict[str, Member]:
    """Machines that a run before this one removed with their group, and could not tell of."""
    there = {machine.id for machine in plan.machines}
    return {name: member for name, member in known.leaving.items() if name not in there}


def _members(
    result: AppResult, known: Sequence[Release], left: Mapping[str, Member]
) -> dict[str, Member]:
    """The machines before the run, where it changed which groups there are.

    A group that nobody remembers began in a run that was cut short, as did one that stays and has
    no machine from before it. Where all that is remembered was found, it may be a launch that came
    to no end: groups that begin complete it.
    """
    done = [each.step for each in result.done]
    after = _groups_after(result.plan, done)
    machines = [(m, _former_group(m, known)) for m in _with_standbys(result.plan)]
    there = {group for m, group in machines if not _began_since(m, known)}
    remembered = {group for release in known for group in release.configs}
    began = (after - there) | ({group for _, group in machines} - remembered)
    before = {
        m.id or "": _member(m, group)
        for m, group in machines
        if group not in began or not remembered
    }
    before.update(left)
    given = {s.machine: s.group for s in done if isinstance(s, UpdateMachine)}
    counted = {name: member for name, member in before.items() if not member.standby}
    groups = {member.group for member in counted.values()}
    launching = all(release.sources for release in known)
    same = groups == after or (launching and groups < after)
    moved = any(given.get(name, member.group) != member.group for name, member in counted.items())
    return {} if same and not moved else before


def _with_standbys(plan: AppPlan) -> list[models.Machine]:
    return [m for m in plan.machines if not Marks.of(m).canary]


def _member(machine: models.Machine, group: str) -> Member:
    return Member(group=group, region=machine.region or "", standby=is_standby(machine))


def _groups_after(plan: AppPlan, steps: Collection[Step]) -> set[str | None]:
    """The groups that have machines behind some of the plan's steps."""
    gone = {s.target.machine or s.target.step for s in steps if isinstance(s, DestroyMachine)}
    given = {s.machine: s.group for s in steps if isinstance(s, UpdateMachine)}
    stay = (m for m in _with_standbys(plan) if not is_standby(m) and m.id not in gone)
    made = (s.group for s in steps if isinstance(s, CreateMachine) and s.id not in gone)
    return {*(given.get(m.id or "", group_of(m)) for m in stay), *made}


def _former_group(machine: models.Machine, known: Sequence[Release]) -> str:
    """Its group; the one before, where a run that took it over ended before it was remembered."""
    former = Marks.of(machine).former_group
    told = (release.members.get(machine.id or "") for release in known)
    if former and not any(member and member.group == former for member in told):
        return former
    return group_of(machine)


def _began_since(machine: models.Machine, known: Sequence[Release]) -> bool:
    """Whether its group was launched, or brought back, after all that is remembered."""
    launch, found = Launch.of_machine(machine), metadata(machine)
    begun = launch.id if launch and not launch.again else ""
    if launch is None and BACK_TO in found:
        newest = max((release.version for release in known), default=0)
        if all(release.version > newest for release in past_releases(machine)):
            begun = found.get(LAUNCH_KEY, "")
    last = max((release.at or 0.0 for release in known), default=0.0)
    return (time_of(begun) or 0.0) > last


def _left_alone(result: AppResult) -> Iterable[models.Machine]:
    """The machines that are as they were before, of the newest release first, standbys last."""
    touched = {each.step.machine for each in result.done if isinstance(each.step, UpdateMachine)}
    touched |= {s.target.machine or "" for s in result.plan.steps if isinstance(s, DestroyMachine)}
    left = (machine for machine in result.plan.machines if machine.id not in touched)
    return sorted(left, key=lambda m: (-release_number(metadata(m)), is_standby(m)))


def _newest(known: Sequence[Release], group: str) -> int:
    """The last release that is known to have changed a group."""
    return max((release.version for release in known if group in release.configs), default=0)
