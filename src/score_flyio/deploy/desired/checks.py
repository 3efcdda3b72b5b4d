"""Health checks: those of services and those of the machine (`[checks]`)."""

from __future__ import annotations

from typing import Any, Final

from fly_machines.models import FlyMachineCheck, FlyMachineServiceCheck
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.sections import of_section
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
    return of_section(check, FlyMachineServiceCheck, type="tcp")


def http_check(check: ServiceHttpCheck) -> FlyMachineServiceCheck:
    """An `http_checks` entry of a service, or a `checks` entry of `http_service`."""
    return of_section(check, FlyMachineServiceCheck, type="http", headers=_headers(check))


def shortened_checks(spec: AppSpec) -> tuple[str, ...]:
    """A sentence for each service check that will run more often than the file says."""
    return tuple(
        f"service of port {service.internal_port}: Fly runs its check every {LONGEST_INTERVAL}, "
        f"not every {check.interval}"
        for service in spec.placed_services.values()
        for check in _checks_of(service)
        if check.interval is not None and check.interval > LONGEST_INTERVAL
    )


def _checks_of(service: HttpService | Service) -> tuple[ServiceHttpCheck | ServiceTcpCheck, ...]:
    if isinstance(service, HttpService):
        return service.checks
    return (*service.tcp_checks, *service.http_checks)


def machine_checks(flat: AppSpec) -> dict[str, FlyMachineCheck] | None:
    """The `[checks]` of a flattened app, by name."""
    return {name: _machine_check(name, check, flat) for name, check in flat.checks.items()} or None


def _machine_check(name: str, check: Check, flat: AppSpec) -> FlyMachineCheck:
    return of_section(
        evolve(check, processes=()),
        FlyMachineCheck,
        port=_port(name, check, flat),
        method=check.method.upper() if check.method is not None else None,
        headers=_headers(check),
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


def _headers(check: Check | ServiceHttpCheck) -> list[dict[str, Any]] | None:
    named = sorted(check.headers.items())
    return [{"name": name or None, "values": [value]} for name, value in named] or None
