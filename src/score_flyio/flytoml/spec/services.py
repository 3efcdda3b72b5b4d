"""What an app offers to the network, in the form that a Score workload comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from score_flyio.base.record import Factory, field, frozen

if TYPE_CHECKING:
    from score_flyio.flytoml.spec.checks import MachineCheck, ServiceTcpCheck
    from score_flyio.flytoml.spec.traffic import (
        Concurrency,
        HttpOptions,
        ProxyProtoOptions,
        TlsOptions,
    )
    from score_flyio.flytoml.values import Duration

AutoStop = Literal["off", "stop", "suspend"]


@frozen(kw_only=True)
class ServicePort:
    """One `[[services.ports]]`."""

    port: int | None = None
    start_port: int | None = None
    end_port: int | None = None
    handlers: tuple[str, ...] = ()
    force_https: bool = False
    tls_options: TlsOptions | None = None
    http_options: HttpOptions | None = None
    proxy_proto_options: ProxyProtoOptions | None = None


@frozen(kw_only=True)
class ServiceHttpCheck:
    """One `[[services.http_checks]]` or `[[http_service.checks]]`."""

    interval: Duration | None = None
    timeout: Duration | None = None
    grace_period: Duration | None = None
    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    tls_skip_verify: bool | None = None
    tls_server_name: str | None = None
    headers: dict[str, str] = Factory(dict)


@frozen(kw_only=True)
class Service:
    """One `[[services]]`."""

    protocol: str = field(default="", metadata={"written": ("toml",)})
    internal_port: int = field(default=0, metadata={"written": ("toml",)})
    auto_stop_machines: AutoStop | None = None
    auto_start_machines: bool | None = None
    min_machines_running: int | None = None
    ports: tuple[ServicePort, ...] = field(default=(), metadata={"written": ("toml",)})
    processes: tuple[str, ...] = ()
    concurrency: Concurrency | None = None
    tcp_checks: tuple[ServiceTcpCheck, ...] = ()
    http_checks: tuple[ServiceHttpCheck, ...] = ()
    machine_checks: tuple[MachineCheck, ...] = ()
