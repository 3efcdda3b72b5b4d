"""The `[deploy]` settings of an app, with flyctl's defaults."""

from __future__ import annotations

from typing import Final

from score_flyio.base.record import frozen
from score_flyio.flytoml.spec import AppSpec, BuildSection, DeploySection
from score_flyio.flytoml.values import Duration

DEFAULT_STRATEGY: Final = "rolling"
DEFAULT_MAX_UNAVAILABLE: Final = 0.33
DEFAULT_TIMEOUT: Final = Duration.of_seconds(300)


@frozen(kw_only=True)
class DeploySettings:
    """How an app is deployed unless the command line says otherwise."""

    strategy: str
    max_unavailable: float
    """A count (1 or more), or a share of the group's machines (below 1)."""
    wait_timeout: Duration
    release_command_timeout: Duration


def deploy_settings(spec: AppSpec) -> DeploySettings:
    """The settings of an app."""
    deploy = spec.deploy or DeploySection()
    share = deploy.max_unavailable
    return DeploySettings(
        strategy=deploy.strategy or DEFAULT_STRATEGY,
        max_unavailable=DEFAULT_MAX_UNAVAILABLE if share is None else share,
        wait_timeout=_timeout(deploy.wait_timeout),
        release_command_timeout=_timeout(deploy.release_command_timeout),
    )


def build_strategies(build: BuildSection | None) -> tuple[str, ...]:
    """The image sources that `[build]` names; more than one is worth a warning."""
    build, found = build or BuildSection(), []
    if build.image:
        found.append(f"image {build.image}")
    if build.builder or build.buildpacks:
        found.append("buildpacks")
    if build.dockerfile:
        found.append(f"Dockerfile {build.dockerfile}")
    elif build.build_target:
        found.append("Dockerfile")
    if build.builtin:
        found.append(f"built-in {build.builtin}")
    return tuple(found)


def _timeout(given: Duration | None) -> Duration:
    return DEFAULT_TIMEOUT if given is None else given
