"""`state.yaml`: what is written is what is read, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import pytest
import yaml
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.errors import StateCorrupt
from score_flyio.score.resources import ResourceUid
from score_flyio.state import deployments_form, yaml_form
from score_flyio.state.deployments import DeploymentRecord, Release
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import (
    KEPT,
    CommandSpec,
    HttpSpec,
    ProvisionerDefinition,
    ProvisionerSpec,
    ResourceRecord,
    StaticSpec,
)
from score_flyio.state.yaml_form import dump_state, load_state
from score_flyio.yaml.reader import read_yaml
from score_flyio.yaml.writer import write_yaml

WORDS = ["yes", "no", "on", "Off", "y", "N", "null", "~", "true", "0x1f", "012", "1e3", "1_000"]
WORDS += ["2024-01-31", "12:30:45", "=", "<<", "- a", "a: b", "#c", "a #c", " a", "a\n", "\t", ""]
texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(texts, json_values, max_size=4)
names = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
optional_names = st.none() | names
uids = st.builds(ResourceUid, names, names, st.from_regex(r"[a-z0-9][a-z0-9.-]*", fullmatch=True))
specs = st.one_of(
    st.builds(CommandSpec, binary=texts.filter(bool), args=st.lists(texts, max_size=3).map(tuple)),
    st.builds(HttpSpec, url=texts.filter(bool)),
    st.builds(StaticSpec, values=objects),
)
records = st.builds(
    ResourceRecord,
    uid=uids,
    guid=st.uuids().map(str),
    metadata=objects,
    params=objects,
    source_workload=names | st.just(""),
    provisioner=names | st.just(""),
    state=objects,
    outputs=objects,
)
states = st.builds(
    ProjectState,
    app_prefix=texts,
    workloads=st.dictionaries(
        names,
        st.builds(WorkloadRecord, spec=objects, file=st.none() | texts.filter(bool)),
        max_size=2,
    ),
    resources=st.lists(records, max_size=3).map(lambda rs: {r.uid: r for r in rs}),
    shared=objects,
    provisioners=st.lists(
        st.builds(
            ProvisionerDefinition,
            id=names,
            resource_type=names,
            resource_class=optional_names,
            resource_id=optional_names,
            spec=specs,
        ),
        max_size=3,
    ).map(tuple),
    salt=st.just("salt"),
)


@given(json_values)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    text = write_yaml({"v": value})
    assert repr(read_yaml(text, exact=True).value) == repr({"v": value})


@given(st.dictionaries(texts, texts, max_size=5))
def test_other_readers_see_the_same_text(value: dict[str, str]) -> None:
    assert yaml.safe_load(write_yaml(value)) == value


@given(states)
def test_a_state_comes_back_as_it_was(state: ProjectState) -> None:
    state.workloads = {
        name: WorkloadRecord(spec={"metadata": record.spec}, file=record.file)
        for name, record in state.workloads.items()
    }
    read = load_state(dump_state(state), "state.yaml")
    read.salt = "salt"
    assert read == state
    assert dump_state(read) == dump_state(state)


_Key = TypeVar("_Key")


def _some_of(keys: Iterable[_Key]) -> st.SearchStrategy[set[_Key]]:
    drawn = [*keys]
    return st.sets(st.sampled_from(drawn)) if drawn else st.just(set())


@given(states, st.data())
def test_a_state_that_changed_is_written_like_one_read_anew(
    state: ProjectState, data: st.DataObject
) -> None:
    dump_state(state)
    for uid in data.draw(_some_of(state.resources)):
        state.resources[uid] = evolve(state.resources[uid], outputs={"x": "now"})
    for name in data.draw(_some_of(state.workloads)):
        del state.workloads[name]
    fresh = ProjectState(
        app_prefix=state.app_prefix,
        workloads=state.workloads,
        resources=state.resources,
        shared=state.shared,
        provisioners=state.provisioners,
    )
    assert dump_state(state) == dump_state(fresh)


def test_only_what_changed_is_formed_anew() -> None:
    state = ProjectState(
        workloads={name: WorkloadRecord(spec={"metadata": {"name": name}}) for name in "ab"}
    )
    dump_state(state)
    before = {place: text for place, (_, text) in state.written.items()}
    state.workloads["a"] = WorkloadRecord(spec={"metadata": {"name": "other"}})
    dump_state(state)
    after = {place: text for place, (_, text) in state.written.items()}
    assert after["workloads b"] is before["workloads b"]
    assert after["workloads a"] != before["workloads a"]


def test_a_long_key_can_be_read() -> None:
    value = {"k" * 3000: {"a": 1}, 'q"' * 800: [1], "short": {}}
    text = write_yaml(value)
    assert read_yaml(text, exact=True).value == value
    assert yaml.safe_load(text) == value


def test_files_and_volumes_are_written_as_lists_and_empty_parts_are_left_out() -> None:
    spec = {
        "metadata": {"name": "shop"},
        "containers": {
            "main": {
                "image": "x",
                "command": [],
                "variables": {},
                "files": {"/b": {"content": "1"}, "/a": {"content": ""}},
                "volumes": {"/v": {"source": "data"}},
                "resources": {},
            }
        },
        "service": {"ports": {}},
        "resources": {"db": {"type": "pg", "params": {}, "metadata": {}}},
    }
    state = ProjectState(workloads={"shop": WorkloadRecord(spec=spec)})
    written = yaml.safe_load(dump_state(state))["workloads"]["shop"]["spec"]
    assert written == {
        "metadata": {"name": "shop"},
        "containers": {
            "main": {
                "image": "x",
                "files": [{"target": "/b", "content": "1"}, {"target": "/a", "content": ""}],
                "volumes": [{"target": "/v", "source": "data"}],
                "resources": {},
            }
        },
        "service": {},
        "resources": {"db": {"type": "pg"}},
    }


GOOD = """\
workloads: {shop: {spec: {}, file: score.yaml}}
resources:
  thing.default#shop.db: {guid: g, type: thing, class: default, id: shop.db}
shared_state: {}
app_prefix: pfx-
provisioners:
  - {id: p, resource_type: thing, static: {}}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("app_prefix: pfx-", "app_prefixx: pfx-", 5, "app_prefixx: unknown key"),
        ("spec: {}, ", "spec: {}, x: 1, ", 1, "workloads.shop.x: unknown key"),
        ("guid: g", "guid: g, x: 1", 3, "unknown key"),
        ("guid: g", "guid: [g]", 3, "must be text, not a list"),
        ("thing.default#shop.db:", "thing:", 3, "TYPE.CLASS#ID"),
        ("shared_state: {}", "shared_state: 3", 4, "must be a map, not the number 3"),
        ("static: {}", "static: {}, http: {url: x}", 7, "exactly one of cmd, http, static"),
        ("static: {}", "cmd: {args: []}", 7, "binary is missing"),
        ("static: {}", "cmd: {binary: x, args: 1}", 7, "must be a list"),
        ("static: {}", "cmd: {binary: x, args: [a, []]}", 7, "cmd.args[1]: must be text"),
        ("id: p, ", "id: p, resource_class: [], ", 7, "resource_class: must be text"),
        ("id: p, ", "", 7, "id is missing"),
        ("app_prefix: pfx-", "app_prefix: [", 7, "expected"),
        ("app_prefix: pfx-", "shared_state: {}", 5, "already stands in line"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int, words: str) -> None:
    load_state(GOOD, "state.yaml")
    assert old in GOOD
    with pytest.raises(StateCorrupt) as caught:
        load_state(GOOD.replace(old, new), ".score-flyio/state.yaml")
    assert f".score-flyio/state.yaml:{line}" in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.code == "state_invalid"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("[]", "must be a map, not a list"),
        ("text", 'must be a map, not "text"'),
        ("provisioners: [text]", 'must be a map, not "text"'),
        ("provisioners: [[]]", "must be a map, not a list"),
    ],
)
def test_what_is_no_map_is_no_state(text: str, says: str) -> None:
    with pytest.raises(StateCorrupt) as raised:
        load_state(text, "state.yaml")
    assert [problem.message for problem in raised.value.problems] == [says]


def test_all_problems_are_told_together() -> None:
    text = GOOD.replace("app_prefix", "a").replace("shared_state: {}", "shared_state: []")
    with pytest.raises(StateCorrupt) as caught:
        load_state(text, "state.yaml")
    assert len(caught.value.problems) == 2


def test_missing_and_null_parts_are_empty() -> None:
    assert load_state("{}", "f").workloads == {}
    state = load_state(GOOD.replace("{guid: g,", "{guid: g, params: null, state: ,"), "f")
    (record,) = state.resources.values()
    assert (record.params, record.state, record.outputs) == ({}, {}, {})


def test_kinds_of_provisioners_stand_in_the_order_of_the_go_tool() -> None:
    def definition(spec: ProvisionerSpec) -> ProvisionerDefinition:
        return ProvisionerDefinition(id=spec.kind, resource_type="t", spec=spec)

    specs = (
        CommandSpec(binary="/b", args=("x",)),
        HttpSpec(url="http://u:p@h/"),
        StaticSpec(values={"b": 1, "a": {"d": 2, "c": 3}}),
    )
    assert {spec.kind for spec in specs} == set(KEPT)
    state = ProjectState(provisioners=tuple(map(definition, specs)))
    text = dump_state(state)
    assert text.split("provisioners:\n")[1] == (
        "  - id: cmd\n    resource_type: t\n    cmd:\n      binary: /b\n      args:\n        - x\n"
        "  - id: http\n    resource_type: t\n    http:\n      url: http://u:p@h/\n"
        "  - id: static\n    resource_type: t\n    static:\n      a:\n        c: 3\n"
        "        d: 2\n      b: 1\n"
    )
    assert load_state(text, "state.yaml").provisioners == state.provisioners


def test_what_is_shown_of_a_provisioner_has_no_password() -> None:
    spec = HttpSpec(url="http://user:hunter2@h/x")
    assert "hunter2" not in f"{spec.line()} {spec.shown()} {spec!r}"


@pytest.mark.parametrize("needs", ["x: []", "a.b#c: [x]", "a.b#c: x", "[]", "a.b#c: [1]"])
def test_needs_that_are_none(needs: str) -> None:
    text = f"version: 1\nsalt: x\nneeds: {{{needs}}}\n"
    with pytest.raises(StateCorrupt, match=r"deployments\.yaml"):
        deployments_form.load_deployments(ProjectState.new(""), text, "deployments.yaml")


def test_what_is_remembered_of_an_app_is_written_anew_where_it_changed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run over many apps saves after each of them, and each time all."""
    written: list[str] = []

    def write(document: dict[str, Any], indent: str = "") -> str:
        written.extend(document)
        return write_yaml(document, indent)

    monkeypatch.setattr(yaml_form, "write_yaml", write)
    state = ProjectState.new("")
    state.deployments = {f"app-{n}": DeploymentRecord(workload=f"app-{n}") for n in range(20)}
    deployments_form.dump_deployments(state)
    written.clear()
    state.deployments["app-7"] = DeploymentRecord(releases=(Release(version=1),))
    text = deployments_form.dump_deployments(state) or ""
    assert [name for name in written if name.startswith("app-")] == ["app-7"]
    again = ProjectState.new("")
    deployments_form.load_deployments(again, text, "deployments.yaml")
    assert again.deployments == state.deployments
