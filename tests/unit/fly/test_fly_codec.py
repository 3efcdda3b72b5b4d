"""JSON ↔ classes: nothing unknown is lost, nothing wrong is coerced."""

from __future__ import annotations

import typing
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fly_machines import models
from score_flyio.fly.codec import ShapeError, structure, structure_answer, unstructure

MACHINE = {
    "id": "m1",
    "state": "a-new-state",
    "host_status": "a-new-status",
    "a_new_field": {"deep": [1, None]},
    "config": {
        "guest": {"cpus": 2, "a_new_field": 1},
        "services": [{"autostop": True, "autostart": False, "min_machines_running": 0}],
        "env": {},
        "checks": {"web": {"interval": "15s", "a_new_field": None}},
        "extra": "a field of this very name",
    },
}


def test_unknown_fields_and_values_survive_a_round_trip() -> None:
    machine = structure(MACHINE, models.Machine)
    assert machine.extra == {"a_new_field": {"deep": [1, None]}}
    assert str(machine.host_status) == "a-new-status"
    assert unstructure(machine) == MACHINE


def test_false_zero_and_empty_are_written_and_none_is_left_out() -> None:
    service = models.FlyMachineService(autostart=False, min_machines_running=0, ports=[])
    assert unstructure(service) == {"autostart": False, "min_machines_running": 0, "ports": []}


def test_null_is_written_for_values_of_a_mapping_and_on_demand() -> None:
    request = models.AppSecretsUpdateRequest(values={"A": "1", "B": None})
    assert unstructure(request) == {"values": {"A": "1", "B": None}}
    assert structure(unstructure(request), models.AppSecretsUpdateRequest) == request
    assert unstructure(models.Volume(id="v", extra={"name": None})) == {"id": "v", "name": None}


def test_a_known_field_wins_over_the_same_name_in_extra() -> None:
    assert unstructure(models.Volume(id="new", extra={"id": "old"})) == {"id": "new"}


@pytest.mark.parametrize(
    ("data", "type_", "places"),
    [
        ({"config": {"guest": {"cpus": "2"}}}, models.Machine, {"config.guest.cpus"}),
        ({"config": {"guest": {"cpus": 2.5}}}, models.Machine, {"config.guest.cpus"}),
        ({"config": {"guest": {"cpus": True}}}, models.Machine, {"config.guest.cpus"}),
        ({"name": 3, "events": "none"}, models.Machine, {"name", "events"}),
        ({"events": [{"type": "x"}, 5]}, models.Machine, {"events[1]"}),
        ({"config": {"env": {"A": 1}}}, models.Machine, {"config.env.A"}),
        (
            {"config": {"services": [{"autostop": 3}]}},
            models.Machine,
            {"config.services[0].autostop"},
        ),
        ({"host_status": {}}, models.Machine, {"host_status"}),
        ({"cordoned": "true"}, models.Machine, {"cordoned"}),
        ({"guest_path": "/x"}, models.FlyStatic, {"url_prefix"}),
        ([], models.Machine, {None}),
        ({}, list[models.Machine], {None}),
        ("abc", list[str], {None}),
        ([], dict[str, str], {None}),
        (None, models.Machine, {None}),
        ("x", NoneType, {None}),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(
    data: Any, type_: Any, places: set[str | None]
) -> None:
    with pytest.raises(ShapeError) as caught:
        structure(data, type_)
    assert {problem.place for problem in caught.value.problems} == places


def test_messages_never_show_values() -> None:
    with pytest.raises(ShapeError) as caught:
        structure({"values": {"PASSWORD": ["hunter2"]}}, models.AppSecretsUpdateRequest)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        ("text", str),
        (None, NoneType),
        ({"a": "b"}, dict[str, str]),
        ([{"id": "x"}], list[models.Volume]),
    ],
)
def test_answers_that_are_no_objects_are_structured_too(data: Any, type_: Any) -> None:
    assert unstructure(structure(data, type_)) == data


TEXT = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def values_of(type_: Any, depth: int) -> st.SearchStrategy[Any]:
    """JSON values that the API may send for a field of this type, but null."""
    origin = get_origin(type_)
    if origin in (Union, UnionType):
        members = [member for member in get_args(type_) if member is not NoneType]
        return st.one_of(*(values_of(member, depth) for member in members))
    if origin is Literal:
        return st.sampled_from(get_args(type_)) | TEXT
    if origin is list:
        return st.lists(values_of(get_args(type_)[0], depth), max_size=2)
    if origin is dict:
        return st.dictionaries(TEXT, values_of(get_args(type_)[1], depth), max_size=2)
    if attrs.has(type_):
        return documents(type_, depth - 1)
    scalars = {
        str: TEXT,
        int: st.integers(),
        float: st.integers() | st.floats(0, 1),
        bool: st.booleans(),
    }
    return scalars.get(type_, JSON)


def documents(type_: Any, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    hints = typing.get_type_hints(type_)
    fields = {a.name: a.default is attrs.NOTHING for a in attrs.fields(type_) if a.name != "extra"}
    optional = {n: values_of(hints[n], depth) for n, needed in fields.items() if not needed}
    required = {n: values_of(hints[n], depth) for n, needed in fields.items() if needed}
    unknown = st.dictionaries(TEXT.filter(lambda name: name not in fields), JSON, max_size=2)
    known = st.fixed_dictionaries(required, optional=optional if depth > 0 else {})
    return st.builds(lambda a, b: {**a, **b}, known, unknown)


@pytest.mark.parametrize(
    "type_", [models.FlyMachineConfig, models.FlyMachineService, models.App, models.LeaseResponse]
)
def test_any_document_survives_a_round_trip(type_: type[Any]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(documents(type_))
    def check(document: dict[str, Any]) -> None:
        value = structure(document, type_)
        assert unstructure(value) == document
        assert structure(unstructure(value), type_) == value

    check()


ODD = {
    "id": "m1",
    "config": {
        "image": "nginx:1",
        "guest": {"cpus": 2, "memory_mb": 256.0},
        "services": [{"autostop": 2, "checks": [{"interval": 15_000_000_000, "type": "tcp"}]}],
        "checks": {"web": {"grace_period": 5_000_000_000, "port": 8080}},
        "stop_config": {"timeout": 5_000_000_000, "signal": "SIGINT"},
        "mounts": [{"volume": "vol_1", "path": 3}],
        "init": {"cmd": [1]},
    },
}


def test_odd_members_of_configs_in_answers_are_kept_and_sent_back() -> None:
    machine = structure_answer(ODD, models.Machine)
    assert unstructure(machine) == ODD
    assert machine.config is not None
    assert machine.config.guest is not None
    assert (machine.config.guest.cpus, machine.config.guest.memory_mb) == (2, 256)
    assert machine.config.services
    (check,) = machine.config.services[0].checks or []
    assert (check.type, check.interval, check.extra) == ("tcp", None, {"interval": 15_000_000_000})


def test_a_member_that_is_called_extra_is_no_odd_one() -> None:
    config = {"extra": "a field of this very name", "guest": {"cpus": "two"}}
    machine = structure_answer({"config": config}, models.Machine)
    assert unstructure(machine) == {"config": config}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"id": 5}, "id"),
        ({"state": 5}, "state"),
        ({"config": "text"}, "config"),
        ({"config": {"image": 5}}, "config.image"),
        ({"config": {"env": 5}}, "config.env"),
        ({"config": {"services": {}}}, "config.services"),
        ({"config": {"guest": []}}, "config.guest"),
        ({"config": {"mounts": [{"volume": 5}]}}, "config.mounts[0].volume"),
        ({"config": {"containers": [{"name": 5, "image": 5}]}}, "config.containers[0].image"),
    ],
)
def test_ids_and_states_are_never_odd(data: Any, place: str) -> None:
    with pytest.raises(ShapeError) as caught:
        structure_answer(data, models.Machine)
    assert place in {problem.place for problem in caught.value.problems}


def test_a_member_that_was_odd_can_be_set() -> None:
    machine = structure_answer(ODD, models.Machine)
    assert machine.config is not None
    assert machine.config.stop_config is not None
    machine.config.stop_config.timeout = "7s"
    assert unstructure(machine)["config"]["stop_config"]["timeout"] == "7s"
