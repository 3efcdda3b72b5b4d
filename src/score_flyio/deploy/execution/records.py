"""What is remembered of a release: here enough to go back to it, at Fly what it lists. Pure."""

from __future__ import annotations

from attrs import evolve

from score_flyio.app.flytoml.write import to_json
from score_flyio.app.spec import AppSpec
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.execution.announcement import with_release
from score_flyio.deploy.execution.context import MadeMachine
from score_flyio.deploy.execution.execute import AppResult, Outcome
from score_flyio.deploy.history import lasting
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.step import (
    CreateMachine,
    DestroyMachine,
    RunReleaseCommand,
    UpdateMachine,
)
from score_flyio.fly.codec import unstructure
from score_flyio.fly.releases import NewRelease, RecordedRelease, Status
from score_flyio.state.deployments import ReleaseRecord


def new_release(plan: AppPlan, spec: AppSpec, options: DeployOptions) -> NewRelease:
    """What Fly is told of the release that a plan makes."""
    images = [
        step.request.config.image
        for step in plan.steps
        if isinstance(step, CreateMachine | UpdateMachine) and step.request.config
    ]
    return NewRelease(
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


def numbered(result: AppResult, recorded: RecordedRelease | None) -> AppResult:
    """The result with the release as Fly numbered it."""
    if recorded is None:
        return result
    release = evolve(result.plan.release, id=recorded.id, version=recorded.version)
    return evolve(result, plan=evolve(result.plan, release=release))


def ending(result: AppResult) -> tuple[Status, str]:
    """How the release ended, and why it failed."""
    if result.failures:
        return "failed", result.failures[0].message
    return "complete", ""


def release_record(result: AppResult, *, at: float) -> ReleaseRecord | None:
    """The machine config of each group that the release changed; secrets are not part of it.

    Images stand in it with their digests, so that going back brings the very same ones. None where
    no machine was changed: that is no release.
    """
    configs, images = {}, set()
    done = [r for r in result.results.values() if r.outcome is Outcome.DONE]
    for step, made in ((r.step, r.value) for r in done):
        if isinstance(step, CreateMachine | UpdateMachine) and step.group and step.request.config:
            config = with_release(step.request.config, result.plan.release)
            config = lasting(config, made.digest if isinstance(made, MadeMachine) else None)
            configs[step.group] = unstructure(config)
            images.add(config.image or "")
    if not any(isinstance(r.step, CreateMachine | UpdateMachine | DestroyMachine) for r in done):
        return None
    return ReleaseRecord(
        version=result.plan.release.version,
        at=at,
        image=min(images) if images else "",
        configs=configs,
    )
