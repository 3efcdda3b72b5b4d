"""What is remembered of a release: enough to go back to it. Pure."""

from __future__ import annotations

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.context import MadeMachine
from score_flyio.deploy.execute import AppResult
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.fly.codec import unstructure
from score_flyio.state.model import ReleaseRecord


def release_record(result: AppResult, *, at: float) -> ReleaseRecord:
    """The machine config of each group that the release changed; secrets are not part of it.

    Images stand in it with their digests, so that going back brings the very same ones.
    """
    configs = {}
    images = set()
    for step in result.plan.steps:
        if isinstance(step, CreateMachine | UpdateMachine) and step.group and step.request.config:
            done = result.results.get(step.id)
            config = _pinned(step.request.config, done.value if done else None)
            configs[step.group] = unstructure(config)
            images.add(config.image or "")
    return ReleaseRecord(
        version=result.plan.release.version,
        at=at,
        image=min(images) if images else "",
        configs=configs,
    )


def _pinned(config: models.FlyMachineConfig, made: object) -> models.FlyMachineConfig:
    digest = made.digest if isinstance(made, MadeMachine) else None
    if not digest or not config.image:
        return config
    return evolve(config, image=with_digest(config.image, digest))


def with_digest(image: str, digest: str) -> str:
    """`name:tag` as `name@digest`; an image that has its digest already stays."""
    if "@" in image:
        return image
    folder, slash, name = image.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}@{digest}"
