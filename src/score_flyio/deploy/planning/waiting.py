"""What is waited for after a machine got its config: from the fly.toml and the options."""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.deploy.desired.settings import DEFAULT_TIMEOUT, deploy_settings
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.strategies.model import Waiting
from score_flyio.deploy.verdict import count_checks
from score_flyio.flytoml.groups import flatten
from score_flyio.flytoml.spec import AppSpec


def waiting_for(spec: AppSpec, group: str, options: DeployOptions) -> Waiting:
    """Options win over the file."""
    own = flatten(spec, group)
    checks = bool(own.checks) or bool(own.http_service and own.http_service.checks)
    checks = checks or any(service.tcp_checks or service.http_checks for service in own.services)
    return _waiting(options, spec, checks=checks)


def waiting_of(
    configs: Iterable[models.FlyMachineConfig], options: DeployOptions, spec: AppSpec | None = None
) -> Waiting:
    """The same for machine configs, of which the fly.toml may not be known."""
    checks = any(count_checks(models.Machine(config=config)).configured for config in configs)
    return _waiting(options, spec or AppSpec(), checks=checks)


def _waiting(options: DeployOptions, spec: AppSpec, *, checks: bool) -> Waiting:
    timeout = options.wait_timeout
    if timeout is None:
        timeout = deploy_settings(spec).wait_timeout.seconds
    return Waiting(
        timeout=timeout or DEFAULT_TIMEOUT.seconds,
        checks=checks,
        smoke_window=options.smoke_window if options.smoke_checks else 0.0,
        detach=options.detach,
    )
