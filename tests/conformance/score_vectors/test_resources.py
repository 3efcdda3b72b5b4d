"""Identity, sharing and order of resources, as recorded from the Score reference library."""

from __future__ import annotations

from typing import Any

import pytest

from score_flyio.errors import (
    InputError,
    ResourceConflictError,
    ResourceCycleError,
    ResourceError,
)
from score_flyio.resources.graph import Graph, build
from score_flyio.resources.prime import prime
from score_flyio.score.resources import ResourceUid, definitions


def documents(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {workload["metadata"]["name"]: workload for workload in entry["workloads"]}


@pytest.mark.vectors("resource_uid")
def test_uid(entry: dict[str, Any]) -> None:
    item = {key: entry[key] for key in ("type", "class", "id")}
    (found,) = definitions({entry["workload"]: {"resources": {entry["resource"]: item}}})
    assert str(found.uid) == entry["uid"]
    read = ResourceUid.parse(entry["uid"])
    assert {"type": read.type, "class": read.class_, "id": read.id} == entry["parsed"]


@pytest.mark.vectors("resource_order")
def test_order(entry: dict[str, Any]) -> None:
    primed, _ = prime(documents(entry))
    graph = build(primed, documents(entry))
    if "error_category" in entry:
        with pytest.raises((ResourceError, InputError)) as caught:
            graph.order(list(primed))
        assert caught.value.code == entry["error_category"]
    elif "divergence_ok" in entry:
        _better_order(graph, list(primed))
    else:
        assert [str(uid) for uid in graph.order(list(primed))] == entry["output"]


def _better_order(graph: Graph, uids: list[ResourceUid]) -> None:
    """The reference library neither sees circles across workloads nor waits for all needs."""
    try:
        order = graph.order(uids)
    except ResourceCycleError:
        return
    assert sorted(order) == sorted(uids), "each resource once"
    places = {uid: place for place, uid in enumerate(order)}
    late = [(need, uid) for uid in uids for need in graph.needs[uid] if places[need] > places[uid]]
    assert not late


@pytest.mark.vectors("resource_priming")
def test_priming(entry: dict[str, Any]) -> None:
    primed, conflicts = prime(documents(entry))
    if "error_category" in entry:
        assert [f"{conflict.what}_conflict" for conflict in conflicts] == [entry["error_category"]]
        assert isinstance(conflicts[0].error(), ResourceConflictError)
        return
    assert not conflicts
    got = {
        str(uid): {
            "type": uid.type,
            "class": uid.class_,
            "id": uid.id,
            "params": resource.params,
            "metadata": resource.metadata,
            "source_workload": resource.source.workload,
        }
        for uid, resource in primed.items()
    }
    assert got == entry["output"]
