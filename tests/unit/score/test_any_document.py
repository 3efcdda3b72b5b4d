"""Whatever a Score file holds: it loads, converts and can be kept, or an own error says why not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score_flyio.base.place import MOST_LEVELS
from score_flyio.convert import convert
from score_flyio.errors import InputError
from score_flyio.flytoml import to_workload_toml
from score_flyio.score.resources import Outputs
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.yaml_form import dump_state, load_state
from tests.near_misses import mutated, values
from tests.unit.score.loading import load_score_file

PREFIX = "score-flyio.astromechza.github.com/service-web-"
HTTP = {"path": "/", "port": 80, "scheme": "HTTPS", "host": "h"}
GOOD: dict[str, Any] = {
    "apiVersion": "score.dev/v1b1",
    "metadata": {
        "name": "shop",
        "annotations": {
            f"{PREFIX}handlers": "http",
            f"{PREFIX}concurrency": '{"type":"requests"}',
            f"{PREFIX}http-options": '{"compress":true}',
            f"{PREFIX}min-running": "1",
            f"{PREFIX}auto-stop": "stop",
        },
    },
    "service": {"ports": {"web": {"port": 80, "targetPort": 8080, "protocol": "TCP"}}},
    "containers": {
        "main": {
            "image": "x",
            "command": ["a"],
            "args": ["b"],
            "variables": {"A": "${resources.db.host}", "B": "$${x}"},
            "files": {
                "/a": {"content": "${metadata.name}", "noExpand": False, "mode": "0644"},
                "/b": {"binaryContent": "/w=="},
                "/c": {"source": "f.txt"},
            },
            "volumes": {"/data": {"source": "data", "path": "/", "readOnly": False}},
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            "livenessProbe": {"httpGet": {**HTTP, "httpHeaders": [{"name": "a", "value": "b"}]}},
            "readinessProbe": {"exec": {"command": ["x"]}},
        },
        "side": {"image": "y", "before": {"main": {"ready": "started"}}},
    },
    "resources": {
        "db": {
            "type": "pg",
            "class": "big",
            "id": "a.b",
            "metadata": {"annotations": {}},
            "params": {"x": "${metadata.name}"},
        }
    },
}
LIKELY = (
    "${metadata.name}", "${resources.db}", "${", "$${x}", ".", "/", "0", "1e9", "250m", "1Gi", "UDP",
    "HTTP", "healthy", "complete", "{}", "[]", "\0", "\x85", "é" * 70, 2**64, 1e300,
)  # fmt: skip


def check(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    refused = None
    try:
        convert_and_keep(file)
    except InputError as error:
        refused = error
    assert refused is None or (str(file) in str(refused) and refused.problems)


def convert_and_keep(file: Path) -> None:
    loaded = load_score_file(file, params_later=True)
    name = loaded.workload.name
    state = ProjectState.new("x-")
    state.workloads[name] = WorkloadRecord(spec=loaded.document, file="score.yaml")
    assert set(load_state(dump_state(state), "state.yaml").workloads) == {name}
    outputs = dict.fromkeys(loaded.workload.resources, Outputs({"host": "h"}))
    conversion = convert(
        loaded, app_name=f"x-{name}", outputs=outputs, read_file=lambda _: b"${metadata.name}"
    )
    tomllib.loads(to_workload_toml(conversion.spec))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any") / "score.yaml"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=mutated(GOOD, *LIKELY) | values(*LIKELY))
def test_any_document(file: Path, document: Any) -> None:
    check(file, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ({"resources": {"": {"type": "pg"}}}, "resources"),
        ({"resources": {"": {}, "db": {"type": "pg"}}}, "resources"),
        ({"resources": {"": 1}}, "resources"),
        ({"resources": {"type": {}}}, "resources.type"),
        ({"containers": {"": {"image": "x"}}}, "containers"),
        ({"containers": {"": {}}}, "containers"),
        ({"containers": {"image": {}}}, "containers.image"),
        ({"service": {"ports": {"": {"port": 1}}}}, "service.ports"),
        ({"metadata": {"": 1}}, "metadata"),
        ({"": 1}, ""),
    ],
)
def test_names_that_are_empty_or_those_of_members_are_told(
    file: Path, part: dict[str, Any], names: str
) -> None:
    file.write_text(json.dumps({**GOOD, **part}))
    with pytest.raises(InputError) as refused:
        convert_and_keep(file)
    assert names in [problem.place or "" for problem in refused.value.problems]


@settings(deadline=None)
@given(
    text=st.lists(
        st.sampled_from([*":-[]{},&*!|>'\"%@`#?\n \tab1<~\ufeff\0", "- ", "k: ", "<<: ", "&a ", "*a ",
                         "!!int ", "---\n", "...\n"]), max_size=25
    ).map("".join)
)  # fmt: skip
def test_any_yaml(file: Path, text: str) -> None:
    check(file, text.encode())


@settings(deadline=None)
@given(content=st.binary(max_size=40))
def test_any_bytes(file: Path, content: bytes) -> None:
    check(file, content)


@pytest.mark.parametrize(("levels", "fits"), [(MOST_LEVELS - 1, True), (MOST_LEVELS, False)])
def test_what_the_state_could_not_be_read_back_with_is_refused(
    file: Path, levels: int, fits: bool
) -> None:
    deep = json.loads('{"a":' * levels + "1" + "}" * levels)
    metadata = {"name": "shop", **deep}
    document = {**GOOD, "metadata": metadata, "containers": {"main": {"image": "x"}}}
    check(file, json.dumps(document).encode())
    if not fits:
        with pytest.raises(InputError, match=f"deeper than {MOST_LEVELS} levels"):
            load_score_file(file)
