"""What is remembered of a release: enough to go back to it. Pure."""

from __future__ import annotations

from score_flyio.deploy.plan import AppPlan
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.fly.codec import unstructure
from score_flyio.state.model import ReleaseRecord


def release_record(plan: AppPlan, *, at: float) -> ReleaseRecord:
    """The machine config of each group that the release changed; secrets are not part of it."""
    configs = {}
    images = set()
    for step in plan.steps:
        if isinstance(step, CreateMachine | UpdateMachine) and step.group and step.request.config:
            configs[step.group] = unstructure(step.request.config)
            images.add(step.request.config.image or "")
    return ReleaseRecord(
        version=plan.release.version,
        at=at,
        image=min(images) if images else "",
        configs=configs,
    )
