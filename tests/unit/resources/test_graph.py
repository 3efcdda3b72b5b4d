"""In which order resources are provisioned, and which are needed for others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.errors import ResourceCycleError, ScoreFileError
from score_flyio.resources.graph import Graph, build
from score_flyio.resources.prime import prime
from score_flyio.score.resources import ResourceUid

Workloads = dict[str, dict[str, Any]]


def needing(**needs: list[str]) -> dict[str, Any]:
    """Resources by name, and what the params of each refer to."""
    return {
        name: {"type": "t", "params": {"of": [f"${{resources.{need}.x}}" for need in others]}}
        for name, others in needs.items()
    }


def graph(**workloads: dict[str, Any]) -> Graph:
    documents = {name: {"resources": resources} for name, resources in workloads.items()}
    primed, conflicts = prime(documents)
    assert not conflicts
    return build(primed, documents)


def uids(*names: str) -> list[ResourceUid]:
    return [ResourceUid.parse(f"t.default#{name}") for name in names]


def ids(found: Any) -> list[str]:
    return [uid.id for uid in found]


def test_each_level_comes_after_what_it_needs_and_is_sorted() -> None:
    found = graph(w=needing(a=["d"], b=[], c=["b"], d=["b", "e"], e=[]))
    wanted = uids("w.a", "w.c")
    assert ids(found.order(wanted)) == ["w.b", "w.e", "w.c", "w.d", "w.a"]
    assert ids(sorted(found.closure(wanted))) == ["w.a", "w.b", "w.c", "w.d", "w.e"]
    assert ids(found.order(uids("w.c"))) == ["w.b", "w.c"]
    assert found.problems == {}


def test_a_shared_resource_needs_what_any_of_its_definitions_refers_to() -> None:
    shared = {"type": "t", "id": "shared"}
    found = graph(
        one={**needing(a=[]), "s": {**shared, "params": {"of": "${resources.a.x}"}}},
        other={**needing(b=[]), "s": {**shared, "params": {"of": "${resources.a.x}"}}, "a": shared},
    )
    (uid,) = uids("shared")
    assert ids(sorted(found.needs[uid])) == ["one.a", "shared"]


def test_metadata_is_no_resource() -> None:
    params = {"name": "${metadata.name} ${resources.b.x}"}
    resources = {"a": {"type": "t", "params": params}, "b": {"type": "t"}}
    assert ids(graph(w=resources).order(uids("w.a"))) == ["w.b", "w.a"]


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"r{number}" for number in range(draw(st.integers(1, 8)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }


@given(acyclic(), st.data())
def test_an_order_has_all_that_is_needed_and_each_before_what_needs_it(
    needs: dict[str, list[str]], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(sorted(needs)), min_size=1))
    order = graph(w=needing(**needs)).order(uids(*(f"w.{name}" for name in wanted)))
    place = {uid.id.removeprefix("w."): number for number, uid in enumerate(order)}
    assert len(place) == len(order)
    for name, number in place.items():
        assert all(place[need] < number for need in needs[name])
    needed = {need for name in place for need in needs[name]}
    assert set(place) == needed | set(wanted)


@pytest.mark.parametrize(
    ("needs", "circle"),
    [
        ({"a": ["a"]}, "'t.default#w.a' needs 't.default#w.a'"),
        (
            {"a": ["c"], "b": ["c"], "c": ["b"]},
            "'t.default#w.c' needs 't.default#w.b' needs 't.default#w.c'",
        ),
        (
            {"a": ["c", "b"], "b": ["a"], "c": ["a"]},
            "'t.default#w.a' needs 't.default#w.b' needs 't.default#w.a'",
        ),
        (
            {"a": ["b"], "b": ["d", "c"], "c": ["a"], "d": []},
            "'t.default#w.a' needs 't.default#w.b' needs 't.default#w.c' needs 't.default#w.a'",
        ),
    ],
)
def test_a_circle_is_told_with_its_members(needs: dict[str, list[str]], circle: str) -> None:
    with pytest.raises(ResourceCycleError) as raised:
        graph(w=needing(**needs)).order(uids("w.a"), workloads=["w"])
    assert str(raised.value) == (
        f"the params of resources refer to each other in a circle: {circle}"
    )
    assert raised.value.hint == "take one of these references out of the params"
    (problem,) = raised.value.problems
    assert (problem.message, problem.hint, problem.code) == (
        str(raised.value),
        raised.value.hint,
        ResourceCycleError.code,
    )
    assert problem.path[:4:2] == ("resources", "params")


def test_references_to_no_resource_are_told_together_with_their_places() -> None:
    found = graph(
        one=needing(b=["x"], a=["b", "y"]),
        other={**needing(a=["b"]), "c": {"type": "t"}},
    )
    lacks = "the workload does not have"
    everything = uids("one.a", "one.b", "other.a", "other.c")
    with pytest.raises(ScoreFileError) as raised:
        found.order(everything)
    assert [(p.place, p.message, p.hint, p.code) for p in raised.value.problems] == [
        (
            f"resources.{name}.params.of[{index}]",
            f"workload '{workload}': ${{resources.{unknown}.x}} names a resource that {lacks}",
            hint,
            "resource_reference_unknown",
        )
        for workload, name, index, unknown, hint in (
            ("one", "a", 1, "y", "its resources are a, b"),
            ("one", "b", 0, "x", "its resources are a, b"),
            ("other", "a", 0, "b", "its resources are a, c"),
        )
    ]
    assert ids(found.order(uids("other.c"))) == ["other.c"]
