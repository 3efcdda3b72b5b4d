"""What workloads cannot share, and what they can."""

from __future__ import annotations

from typing import Any

import pytest

from score_flyio.errors import ResourceConflictError, ScoreFileError, UnshareableError
from score_flyio.resources.plan import plan_resources

VOLUME = {"data": {"type": "volume", "id": "shared"}}
HOST = {"host": {"type": "dns", "id": "shop"}}
ROUTE = {"way": {"type": "route", "params": {"host": "${resources.host.host}"}}}
ENVIRONMENT = {"host": {"type": "environment", "id": "ours"}}


def route(host: str, path: str = "/", **more: Any) -> dict[str, Any]:
    return {"way": {"type": "route", "params": {"host": host, "path": path}, **more}}


def _documents(*resources: dict[str, Any]) -> dict[str, Any]:
    return {
        f"a{i}": {"metadata": {"name": f"a{i}", "domain": "example.com"}, "resources": each}
        for i, each in enumerate(resources)
    }


def _plan(*resources: dict[str, Any], of: str = "a0") -> None:
    plan_resources(_documents(*resources), [of])


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (VOLUME, VOLUME, "empty one of its own"),
        (HOST | ROUTE, HOST | ROUTE, "have routes on dns 'dns.default#shop'"),
        (route("x.example.com", id="all"), route("x.example.com", id="all"), "leads to one app"),
        (route("x.example.com"), route("x.example.com", "/api"), "host 'x.example.com'"),
        (route("X.example.com."), route("x.Example.COM"), "leads to one app"),
        (route("*.example.com"), route("*.example.com", "/a"), "leads to one app"),
        (route("x.${metadata.domain}"), route("x.example.com"), "host 'x.example.com'"),
        (HOST | route("a.${resources.host.host}"), HOST | route("a.${resources.host.host}"), "one"),
        (
            ENVIRONMENT | route("${resources.host.HOST}"),
            ENVIRONMENT | route("${resources.host.HOST}", "/b"),
            "leads to one app",
        ),
    ],
)
def test_what_fly_cannot_share(one: dict[str, Any], other: dict[str, Any], words: str) -> None:
    with pytest.raises(ResourceConflictError) as failure:
        _plan(one, other)
    assert words in str(failure.value)
    assert "'a0' and 'a1'" in str(failure.value)
    assert failure.value.exit_code == 2
    assert {problem.path[0] for problem in failure.value.problems} == {"resources"}
    _plan(one, other, {}, of="a2")


def test_all_that_does_not_fit_is_told_at_once() -> None:
    circle = {
        name: {"type": "t", "params": {"of": f"${{resources.{other}.x}}"}}
        for name, other in (("one", "two"), ("two", "one"))
    }
    with pytest.raises(ScoreFileError) as failure:
        _plan(VOLUME | route("x.example.com") | circle, VOLUME | route("x.example.com"))
    assert [(problem.place, problem.code) for problem in failure.value.problems] == [
        ("resources.data.id", UnshareableError.code),
        ("resources.way.params.host", UnshareableError.code),
        ("resources.one.params.of", "resource_cycle"),
    ]


def test_workloads_behind_the_proxy() -> None:
    resources = {
        "aa": {"type": "service", "class": "flycast", "id": "cart"},
        "bb": {"type": "service", "class": "flycast", "params": {"workload": "mail"}},
        "cc": {"type": "service-port", "class": "flycast", "params": {"workload": "db", "port": 1}},
        "dd": {"type": "service", "id": "other"},
    }
    plan = plan_resources({"web": {"resources": resources}}, ["web"])
    assert plan.behind_the_proxy == {"cart", "mail", "db"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HOST | ROUTE, HOST),
        (HOST, HOST),
        (HOST | ROUTE, {"host": {"type": "dns"}} | ROUTE),
        (VOLUME, {"data": {"type": "volume"}}),
        ({"db": {"type": "postgres", "id": "db"}}, {"db": {"type": "postgres", "id": "db"}}),
        (route("x.example.com"), route("y.example.com")),
        (route("*.example.com"), route("x.example.com")),
        ({"way": {"type": "route"}}, {"way": {"type": "route", "params": {"path": "/a"}}}),
        (route("${metadata.name}.example.com"), route("${metadata.name}.example.com")),
        (HOST | route("a.${resources.host.host}"), HOST | route("b.${resources.host.host}")),
        ({**route("x.example.com"), "b": route("x.example.com", "/b")["way"]}, {}),
    ],
)
def test_what_can_be_shared(one: dict[str, Any], other: dict[str, Any]) -> None:
    _plan(one, other)


@pytest.mark.parametrize(
    ("resources", "elsewhere"),
    [
        ([HOST | ROUTE, HOST], [set(), {"host"}]),
        ([HOST, HOST | ROUTE], [{"host"}, set()]),
        ([HOST, HOST], [set(), {"host"}]),
        ([{"host": {"type": "dns"}}, {"host": {"type": "dns"}}], [set(), set()]),
    ],
)
def test_one_workload_gets_the_certificate_of_a_shared_name(
    resources: list[dict[str, Any]], elsewhere: list[set[str]]
) -> None:
    documents = {f"a{i}": {"resources": each} for i, each in enumerate(resources)}
    plan = plan_resources(documents, list(documents))
    assert [plan.led_elsewhere(name) for name in documents] == elsewhere
