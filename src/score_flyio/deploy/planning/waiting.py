"""What is waited for after a machine got its config: from the fly.toml and the options."""

from __future__ import annotations

from score_flyio.app.groups import flatten
from score_flyio.app.spec import AppSpec
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.strategies.model import Waiting

WAIT_TIMEOUT = 300.0
"""Seconds; flyctl's default of `deploy.wait_timeout`."""


def waiting_for(spec: AppSpec, group: str, options: DeployOptions) -> Waiting:
    """Options win over the file."""
    section = spec.deploy
    timeout = options.wait_timeout
    if timeout is None and section is not None and section.wait_timeout is not None:
        timeout = section.wait_timeout.seconds
    own = flatten(spec, group)
    checks = bool(own.checks) or bool(own.http_service and own.http_service.checks)
    checks = checks or any(service.tcp_checks or service.http_checks for service in own.services)
    return Waiting(
        timeout=timeout or WAIT_TIMEOUT,
        checks=checks,
        smoke_window=options.smoke_window if options.smoke_checks else 0.0,
        detach=options.detach,
    )
