"""Health checks: those of services and those of the machine (`[checks]`)."""

from __future__ import annotations

from typing import Final

from fly_machines.models import FlyMachineCheck, FlyMachineHTTPHeader, FlyMachineServiceCheck
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.flytoml.spec import (
    AppSpec,
    Check,
    HttpService,
    Service,
    ServiceHttpCheck,
    ServiceTcpCheck,
)
from score_flyio.flytoml.values import Duration

LONGEST_INTERVAL: Final = Duration.parse("1m")
"""The platform cuts longer intervals of service checks to it."""


def tcp_check(check: ServiceTcpCheck) -> FlyMachineServiceCheck:
    """A `tcp_checks` entry of a service."""
    return FlyMachineServiceCheck(
        type="tcp",
        interval=_text(check.interval),
        timeout=_text(check.timeout),
        grace_period=_text(check.grace_period),
    )


def http_check(check: ServiceHttpCheck) -> FlyMachineServiceCheck:
    """An `http_checks` entry of a service, or a `checks` entry of `http_service`."""
    return FlyMachineServiceCheck(
        type="http",
        interval=_text(check.interval),
        timeout=_text(check.timeout),
        grace_period=_text(check.grace_period),
        method=check.method,
        path=check.path,
        protocol=check.protocol,
        tls_skip_verify=check.tls_skip_verify,
        tls_server_name=check.tls_server_name,
        headers=_headers(check.headers),
    )


def shortened_checks(spec: AppSpec) -> tuple[str, ...]:
    """A sentence for each service check that will run more often than the file says."""
    http = () if spec.http_service is None else (spec.http_service,)
    return tuple(
        f"service of port {service.internal_port}: Fly runs its check every {LONGEST_INTERVAL}, "
        f"not every {check.interval}"
        for service in (*http, *spec.services)
        for check in _checks_of(service)
        if check.interval is not None and check.interval > LONGEST_INTERVAL
    )


def _checks_of(service: HttpService | Service) -> tuple[ServiceHttpCheck | ServiceTcpCheck, ...]:
    if isinstance(service, HttpService):
        return service.checks
    return (*service.tcp_checks, *service.http_checks)


def machine_checks(flat: AppSpec) -> dict[str, FlyMachineCheck] | None:
    """The `[checks]` of a flattened app, by name.

    Raises ConversionError: a check has no port, and there is no `http_service` to take it from.
    """
    return {name: _machine_check(name, check, flat) for name, check in flat.checks.items()} or None


def _machine_check(name: str, check: Check, flat: AppSpec) -> FlyMachineCheck:
    return FlyMachineCheck(
        type=check.type,
        port=_port(name, check, flat),
        interval=_text(check.interval),
        timeout=_text(check.timeout),
        grace_period=_text(check.grace_period),
        method=check.method.upper() if check.method is not None else None,
        path=check.path,
        protocol=check.protocol,
        tls_skip_verify=check.tls_skip_verify,
        tls_server_name=check.tls_server_name,
        headers=_headers(check.headers),
    )


def _port(name: str, check: Check, flat: AppSpec) -> int:
    if check.port is not None:
        return check.port
    if flat.http_service is None:
        raise ConversionError(
            f"checks.{name}.port",
            "missing",
            "the check has no port, and its process group has no http_service to take it from",
            hint="set port, or move the check to a group with an http_service",
        )
    return flat.http_service.internal_port


def _headers(headers: dict[str, str]) -> list[FlyMachineHTTPHeader] | None:
    sent = [
        FlyMachineHTTPHeader(name=name or None, values=[headers[name]]) for name in sorted(headers)
    ]
    return sent or None


def _text(duration: Duration | None) -> str | None:
    return None if duration is None else duration.text()
