"""Health checks: those of services and those of the machine (`[checks]`)."""

from __future__ import annotations

from typing import Any, Final

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
    return FlyMachineServiceCheck(type="tcp", **_times(check))


def http_check(check: ServiceHttpCheck) -> FlyMachineServiceCheck:
    """An `http_checks` entry of a service, or a `checks` entry of `http_service`."""
    return FlyMachineServiceCheck(
        type="http", method=check.method, **_times(check), **_request(check)
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
        method=check.method.upper() if check.method is not None else None,
        **_times(check),
        **_request(check),
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


def _times(check: Check | ServiceHttpCheck | ServiceTcpCheck) -> dict[str, Any]:
    times = (check.interval, check.timeout, check.grace_period)
    interval, timeout, grace = (None if each is None else each.text() for each in times)
    return {"interval": interval, "timeout": timeout, "grace_period": grace}


def _request(check: Check | ServiceHttpCheck) -> dict[str, Any]:
    """What is asked for over HTTP, but for the method."""
    headers = [
        FlyMachineHTTPHeader(name=name or None, values=[value])
        for name, value in sorted(check.headers.items())
    ]
    return {
        "path": check.path,
        "protocol": check.protocol,
        "tls_skip_verify": check.tls_skip_verify,
        "tls_server_name": check.tls_server_name,
        "headers": headers or None,
    }
