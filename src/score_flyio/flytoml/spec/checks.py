"""Checks beside those that a service makes over HTTP."""

from __future__ import annotations

from score_flyio.base.record import Factory, frozen
from score_flyio.flytoml.values import Duration


@frozen(kw_only=True)
class ServiceTcpCheck:
    """One `[[services.tcp_checks]]`."""

    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None


@frozen(kw_only=True)
class MachineCheck:
    """One `machine_checks` entry, of a service or of the app."""

    command: tuple[str, ...] = ()
    image: str = ""
    entrypoint: tuple[str, ...] = ()
    kill_signal: str | None = None
    kill_timeout: Duration | None = None


@frozen(kw_only=True)
class Check:
    """One `[checks.NAME]`."""

    port: int | None = None
    type: str | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None
    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    tls_skip_verify: bool | None = None
    tls_server_name: str | None = None
    processes: tuple[str, ...] = ()
    headers: dict[str, str] = Factory(dict)
