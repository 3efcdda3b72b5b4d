from __future__ import annotations

import pytest

from score_flyio.deploy.desired.addresses import address_kind, public_url
from score_flyio.flytoml.spec import AppSpec, HttpService, Service, ServicePort

HTTP = ServicePort(port=80, handlers=("http",))
HTTPS = ServicePort(port=443, handlers=("tls", "http"))


def app(*ports: ServicePort, protocol: str = "tcp", name: str = "a") -> AppSpec:
    return AppSpec(app=name, services=(Service(protocol=protocol, internal_port=1, ports=ports),))


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (AppSpec(), None),
        (AppSpec(http_service=HttpService(internal_port=80)), "shared"),
        (AppSpec(http_service=HttpService()), "shared"),
        (app(), "shared"),
        (app(HTTP, HTTPS), "shared"),
        (app(ServicePort(handlers=("tls",))), "shared"),
        (app(ServicePort(port=22), protocol=""), "shared"),
        (app(protocol="udp"), "dedicated"),
        (app(HTTP, HTTPS, ServicePort(port=8080, handlers=("http",))), "dedicated"),
        (app(ServicePort(port=80)), "dedicated"),
        (app(ServicePort(port=80, handlers=("http", "tls"))), "dedicated"),
        (app(ServicePort(port=443, handlers=("tls",))), "dedicated"),
        (app(ServicePort(port=443, handlers=("http", "http"))), "dedicated"),
        (app(ServicePort(start_port=80, end_port=80, handlers=("http",))), "shared"),
        (app(ServicePort(start_port=79, end_port=80, handlers=("http",))), "dedicated"),
        (app(ServicePort(start_port=80, end_port=443, handlers=("http",))), "dedicated"),
        (app(ServicePort(start_port=443, handlers=("http", "tls"))), "dedicated"),
        (app(ServicePort(start_port=20, end_port=10)), "shared"),
        (app(ServicePort(start_port=-(2**63), end_port=2**63 - 1)), "dedicated"),
    ],
)
def test_address_kind(spec: AppSpec, kind: str | None) -> None:
    assert address_kind(spec) == kind


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        (AppSpec(app="a"), None),
        (AppSpec(app="a", http_service=HttpService(internal_port=1)), "https://a.fly.dev/"),
        (AppSpec(app="a", http_service=HttpService()), None),
        (app(HTTP), "http://a.fly.dev/"),
        (app(HTTP, HTTPS), "https://a.fly.dev/"),
        (app(ServicePort(port=443, handlers=("tls",))), None),
        (
            app(
                ServicePort(port=9443, handlers=("tls", "http")),
                ServicePort(port=8443, handlers=("tls", "http")),
                ServicePort(port=8080, handlers=("http",)),
            ),
            "https://a.fly.dev:8443/",
        ),
        (app(HTTP, ServicePort(port=8443, handlers=("tls", "http"))), "http://a.fly.dev/"),
        (app(ServicePort(port=8080, handlers=("http",))), "http://a.fly.dev:8080/"),
        (app(ServicePort(start_port=80, end_port=81, handlers=("http",))), None),
        (app(HTTP, name="No Name"), "http://No%20Name.fly.dev/"),
    ],
)
def test_public_url(spec: AppSpec, url: str | None) -> None:
    assert public_url(spec) == url
