"""What workloads cannot share, and what they can."""

from __future__ import annotations

from typing import Any

import pytest

from score_flyio.errors import ResourceConflictError
from score_flyio.resources.plan import plan_resources

VOLUME = {"data": {"type": "volume", "id": "shared"}}
HOST = {"host": {"type": "dns", "id": "shop"}}
ROUTE = {"way": {"type": "route", "params": {"host": "${resources.host.host}"}}}


def _plan(*resources: dict[str, Any], of: str = "a0") -> None:
    plan_resources({f"a{i}": {"resources": each} for i, each in enumerate(resources)}, [of])


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (VOLUME, VOLUME, "empty one of its own"),
        (HOST | ROUTE, HOST | ROUTE, "leads to one app"),
    ],
)
def test_what_fly_cannot_share(one: dict[str, Any], other: dict[str, Any], words: str) -> None:
    with pytest.raises(ResourceConflictError) as failure:
        _plan(one, other)
    assert words in str(failure.value)
    assert "'a0' and 'a1'" in str(failure.value)
    _plan(one, other, {}, of="a2")


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
