"""Services: `[http_service]` and `[[services]]` as the proxy is told of them."""

from __future__ import annotations

from typing import Final, Literal

from fly_machines.models import (
    FlyMachinePort,
    FlyMachineService,
    FlyMachineServiceCheck,
    FlyMachineServiceConcurrency,
)
from score_flyio.deploy.desired.checks import http_check, tcp_check
from score_flyio.deploy.desired.sections import of_section
from score_flyio.flytoml.spec import AppSpec, HttpService, Service, ServicePort

AUTOSTOP_OF: Final[dict[str, bool | Literal["suspend"]]] = {
    "off": False,
    "stop": True,
    "suspend": "suspend",
}
"""What flyctl sends for a word of fly.toml."""


def machine_services(flat: AppSpec) -> list[FlyMachineService] | None:
    """All services of a flattened app: `http_service` first, then `[[services]]` in file order."""
    services = [] if flat.http_service is None else [_http_service(flat.http_service)]
    services += [_service(service) for service in flat.services]
    return services or None


def _http_service(service: HttpService) -> FlyMachineService:
    options, tls = service.http_options, service.tls_options
    plain = ServicePort(
        port=80, handlers=("http",), force_https=service.force_https, http_options=options
    )
    secure = ServicePort(port=443, handlers=("http", "tls"), tls_options=tls, http_options=options)
    checks = [http_check(check) for check in service.checks]
    return _machine_service(service, "tcp", (plain, secure), checks)


def _service(service: Service) -> FlyMachineService:
    checks = [tcp_check(check) for check in service.tcp_checks]
    checks += [http_check(check) for check in service.http_checks]
    return _machine_service(service, service.protocol, service.ports, checks)


def _machine_service(
    service: HttpService | Service,
    protocol: str,
    ports: tuple[ServicePort, ...],
    checks: list[FlyMachineServiceCheck],
) -> FlyMachineService:
    limits, stop = service.concurrency, service.auto_stop_machines
    return FlyMachineService(
        protocol=protocol or None,
        internal_port=service.internal_port or None,
        autostop=None if stop is None else AUTOSTOP_OF[stop],
        autostart=service.auto_start_machines,
        min_machines_running=service.min_machines_running,
        concurrency=None if limits is None else of_section(limits, FlyMachineServiceConcurrency),
        ports=[of_section(port, FlyMachinePort) for port in ports] or None,
        checks=checks or None,
        # flyctl sends the null, and the platform shows it again
        extra={"force_instance_key": None},
    )
