"""Services: `[http_service]` and `[[services]]` as the proxy is told of them."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from fly_machines.models import (
    FlyHTTPOptions,
    FlyHTTPResponseOptions,
    FlyMachinePort,
    FlyMachineService,
    FlyMachineServiceCheck,
    FlyMachineServiceConcurrency,
    FlyProxyProtoOptions,
    FlyReplayCache,
    FlyTLSOptions,
)
from score_flyio.deploy.desired.checks import http_check, tcp_check
from score_flyio.flytoml.spec import (
    AppSpec,
    AutoStop,
    Concurrency,
    HttpOptions,
    HttpResponseOptions,
    HttpService,
    ReplayCache,
    Service,
    ServicePort,
    TlsOptions,
)

_T = TypeVar("_T")


def machine_services(flat: AppSpec) -> list[FlyMachineService] | None:
    """All services of a flattened app: `http_service` first, then `[[services]]` in file order."""
    services = [] if flat.http_service is None else [_http_service(flat.http_service)]
    services += [_service(service) for service in flat.services]
    return services or None


def _http_service(service: HttpService) -> FlyMachineService:
    options = service.http_options
    plain = FlyMachinePort(
        port=80,
        handlers=["http"],
        force_https=service.force_https or None,
        http_options=_http_options(options),
    )
    secure = FlyMachinePort(
        port=443,
        handlers=["http", "tls"],
        tls_options=_tls_options(service.tls_options),
        http_options=_http_options(options),
    )
    checks = [http_check(check) for check in service.checks]
    return _machine_service(service, "tcp", [plain, secure], checks)


def _service(service: Service) -> FlyMachineService:
    checks = [tcp_check(check) for check in service.tcp_checks]
    checks += [http_check(check) for check in service.http_checks]
    ports = [_port(port) for port in service.ports]
    return _machine_service(service, service.protocol, ports, checks)


def _machine_service(
    service: HttpService | Service,
    protocol: str,
    ports: list[FlyMachinePort],
    checks: list[FlyMachineServiceCheck],
) -> FlyMachineService:
    return FlyMachineService(
        protocol=protocol or None,
        internal_port=service.internal_port or None,
        autostop=_autostop(service.auto_stop_machines),
        autostart=service.auto_start_machines,
        min_machines_running=service.min_machines_running,
        concurrency=_concurrency(service.concurrency),
        ports=ports or None,
        checks=checks or None,
        # flyctl sends the null, and the platform shows it again
        extra={"force_instance_key": None},
    )


def _autostop(word: AutoStop | None) -> Any:
    words: dict[AutoStop, bool | str] = {"off": False, "stop": True, "suspend": "suspend"}
    return None if word is None else words[word]


def _concurrency(concurrency: Concurrency | None) -> FlyMachineServiceConcurrency | None:
    if concurrency is None:
        return None
    return FlyMachineServiceConcurrency(
        type=concurrency.type or None,
        soft_limit=concurrency.soft_limit or None,
        hard_limit=concurrency.hard_limit or None,
    )


def _port(port: ServicePort) -> FlyMachinePort:
    proxy = port.proxy_proto_options
    return FlyMachinePort(
        port=port.port,
        start_port=port.start_port,
        end_port=port.end_port,
        handlers=_list(port.handlers),
        force_https=port.force_https or None,
        tls_options=_tls_options(port.tls_options),
        http_options=_http_options(port.http_options),
        proxy_proto_options=(
            None if proxy is None else FlyProxyProtoOptions(version=proxy.version or None)
        ),
    )


def _tls_options(options: TlsOptions | None) -> FlyTLSOptions | None:
    if options is None:
        return None
    return FlyTLSOptions(
        alpn=_list(options.alpn),
        versions=_list(options.versions),
        default_self_signed=options.default_self_signed,
    )


def _http_options(options: HttpOptions | None) -> FlyHTTPOptions | None:
    if options is None:
        return None
    return FlyHTTPOptions(
        compress=options.compress,
        h2_backend=options.h2_backend,
        idle_timeout=options.idle_timeout,
        headers_read_timeout=options.headers_read_timeout,
        response=_response(options.response),
        replay_cache=[_replay_cache(cache) for cache in options.replay_cache] or None,
    )


def _response(options: HttpResponseOptions | None) -> FlyHTTPResponseOptions | None:
    if options is None:
        return None
    return FlyHTTPResponseOptions(headers=dict(options.headers) or None, pristine=options.pristine)


def _replay_cache(cache: ReplayCache) -> FlyReplayCache:
    return FlyReplayCache(
        path_prefix=cache.path_prefix,
        ttl_seconds=cache.ttl_seconds,
        type=cast("Any", cache.type),
        name=cache.name,
        allow_bypass=cache.allow_bypass or None,
    )


def _list(values: tuple[_T, ...]) -> list[_T] | None:
    return list(values) or None
