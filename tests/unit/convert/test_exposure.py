"""Which workloads can be reached from the internet."""

from __future__ import annotations

import pytest

from score_flyio.errors import InputError
from tests.unit.flytoml.conversions import annotated, container, converted, toml

PORTS = "service: {ports: {db: {port: 5432}}}\n"
MAIN = container("")


@pytest.mark.parametrize(
    ("text", "exposure"),
    [
        (MAIN, "private"),
        (MAIN + PORTS, "private"),
        (MAIN + PORTS + "resources: {web: {type: route}}\n", "shared"),
        (MAIN + PORTS + "resources: {name: {type: dns}}\n", "shared"),
        (MAIN + PORTS + "resources: {db: {type: postgres}}\n", "private"),
        (annotated("service-web-handlers: 'tls,http'"), "shared"),
        (annotated("service-web-public: 'true'"), "shared"),
        (annotated("service-web-public: 'false'"), "private"),
        (annotated("service-web-public: dedicated"), "dedicated"),
    ],
)
def test_who_can_reach_a_workload(text: str, exposure: str) -> None:
    assert converted(text, outputs={}, known_later=True).exposure == exposure


def test_other_words_are_refused() -> None:
    with pytest.raises(InputError) as failure:
        converted(annotated("service-web-public: 'yes'"))
    assert failure.value.code == "annotation_invalid"
    assert "must be true, false or dedicated" in str(failure.value)


HTTP, HTTPS = (80, ["http"]), (443, ["tls", "http"])


def ports(text: str) -> list[list[tuple[int, list[str]]]]:
    services = toml(converted(text, outputs={}, known_later=True))["services"]
    return [[(each["port"], each.get("handlers", [])) for each in s["ports"]] for s in services]


@pytest.mark.parametrize(
    ("declared", "resources", "expected"),
    [
        ("{web: {port: 80}}", "{to-web: {type: route}}", [[HTTP, HTTPS]]),
        ("{web: {port: 443}}", "{name: {type: dns}}", [[HTTP, HTTPS]]),
        ("{web: {port: 8080}}", "{name: {type: dns}}", [[HTTP, HTTPS, (8080, [])]]),
        (
            "{web: {port: 8080}, db: {port: 5432}}",
            "{to-web: {type: route, params: {port: 8080}}}",
            [[(5432, [])], [HTTP, HTTPS, (8080, [])]],
        ),
        (
            "{web: {port: 8080}, db: {port: 5432}}",
            "{to-web: {type: route, params: {port: web}}}",
            [[(5432, [])], [HTTP, HTTPS, (8080, [])]],
        ),
        (
            "{web: {port: 8080}, plain: {port: 80}}",
            "{to-web: {type: route, params: {port: web}}}",
            [[(80, [])], [HTTPS, (8080, [])]],
        ),
        (
            "{web: {port: 8080}, db: {port: 5432}}",
            "{name: {type: dns}}",
            [[(5432, [])], [(8080, [])]],
        ),
        ("{web: {port: 80, protocol: UDP}}", "{name: {type: dns}}", [[(80, [])]]),
        ("{web: {port: 80}}", "{name: {type: postgres}}", [[(80, [])]]),
    ],
)
def test_what_a_route_leads_to_speaks_http(
    declared: str, resources: str, expected: list[list[tuple[int, list[str]]]]
) -> None:
    text = f"{MAIN}service: {{ports: {declared}}}\nresources: {resources}\n"
    assert ports(text) == expected


@pytest.mark.parametrize(
    ("declared", "wanted", "listed"),
    [("{web: {port: 80}}", "8080", "web (80)"), ("{}", "8080", "none"), ("{}", "api", "none")],
)
def test_a_route_to_a_port_that_is_not_there_is_refused(
    declared: str, wanted: str, listed: str
) -> None:
    route = f"{{way: {{type: route, params: {{port: {wanted}}}}}}}"
    text = f"{MAIN}service: {{ports: {declared}}}\nresources: {route}\n"
    with pytest.raises(InputError) as failure:
        converted(text, outputs={}, known_later=True)
    (problem,) = failure.value.problems
    assert problem.place == "resources.way.params.port"
    assert f"its ports: {listed}" in problem.message


def test_handlers_of_an_annotation_stay() -> None:
    text = annotated("service-web-handlers: tls") + "resources: {to-web: {type: route}}\n"
    assert ports(text) == [[(443, ["tls"])]]


def test_routes_to_two_ports_are_refused() -> None:
    both = "{to-a: {type: route, params: {port: 81}}, to-b: {type: route, params: {port: bb}}}"
    text = f"{MAIN}service: {{ports: {{aa: {{port: 81}}, bb: {{port: 82}}}}}}\nresources: {both}\n"
    with pytest.raises(InputError) as failure:
        ports(text)
    assert failure.value.code == "unsupported_feature"
    assert "resources.to-b.params.port" in str(failure.value)
