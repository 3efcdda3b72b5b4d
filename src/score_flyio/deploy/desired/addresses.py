"""Which kind of public address an app needs, and where it is reached.

Rules: fly.toml reference, "Addresses"; `http_service` never needs an address of its own.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from score_flyio.flytoml.spec import AppSpec, Service, ServicePort

_HTTP, _HTTPS = 80, 443
_LAST_PORT = 65535
_IN_HOST = "!$&'()*+,;=:[]<>\""
"""Signs that flyctl leaves as they are; app names are not checked before Fly sees them."""


def address_kind(spec: AppSpec) -> Literal["shared", "dedicated"] | None:
    """`shared` where Fly's HTTP and TLS proxying can tell apps apart, None without services."""
    if spec.http_service is None and not spec.services:
        return None
    raw = any(service.protocol == "udp" or _raw_ports(service) for service in spec.services)
    return "dedicated" if raw else "shared"


def ports_in_need(spec: AppSpec) -> tuple[str, ...]:
    """The ports that need a dedicated address, as people call them: `port 5432 (tcp)`."""
    return tuple(
        f"port {_shown(port)} ({service.protocol})"
        for service in spec.services
        for port in _raw_ports(service)
    )


def _shown(port: ServicePort) -> str:
    """Its number, or the first and the last of its range."""
    ranges = _covered(port)
    texts = (f"{r.start}" if len(r) == 1 else f"{r.start}-{r.stop - 1}" for r in ranges)
    return ", ".join(texts)


def public_url(spec: AppSpec) -> str | None:
    """The address under which the app is reached, None if no port of it speaks HTTP."""
    host = quote(f"{spec.app}.fly.dev", safe=_IN_HOST)
    if spec.http_service is not None and spec.http_service.internal_port > 0:
        return f"https://{host}/"
    secure, plain = _http_ports(spec)
    if _HTTPS in secure:
        return f"https://{host}/"
    if _HTTP in plain:
        return f"http://{host}/"
    if secure:
        return f"https://{host}:{min(secure)}/"
    return f"http://{host}:{min(plain)}/" if plain else None


def _http_ports(spec: AppSpec) -> tuple[set[int], set[int]]:
    """Numbers of the ports that speak HTTP: over TLS, and plain; ranges do not count."""
    secure: set[int] = set()
    plain: set[int] = set()
    for service in spec.services:
        for port in service.ports:
            if port.port is not None and "http" in port.handlers:
                (secure if "tls" in port.handlers else plain).add(port.port)
    return secure, plain


def _raw_ports(service: Service) -> tuple[ServicePort, ...]:
    """Those that need an address of the app's own."""
    if service.protocol == "udp":
        return service.ports
    return tuple(filter(_is_raw, service.ports)) if service.protocol == "tcp" else ()


def _is_raw(port: ServicePort) -> bool:
    handlers = list(port.handlers)
    covered = _covered(port)
    if any(_HTTP not in r and _HTTPS not in r for r in covered):
        return True
    if any(r.stop - r.start > (_HTTP in r) + (_HTTPS in r) for r in covered):
        return True
    if any(_HTTP in r for r in covered) and handlers != ["http"]:
        return True
    return any(_HTTPS in r for r in covered) and sorted(handlers) != ["http", "tls"]


def _covered(port: ServicePort) -> list[range]:
    """Port numbers that a `ports` entry covers; an open range ends where port numbers do."""
    covered = [] if port.port is None else [range(port.port, port.port + 1)]
    if port.start_port is not None or port.end_port is not None:
        start = port.start_port or 0
        end = _LAST_PORT if port.end_port is None else port.end_port
        covered.append(range(start, end + 1))
    return [numbers for numbers in covered if numbers.start < numbers.stop]
