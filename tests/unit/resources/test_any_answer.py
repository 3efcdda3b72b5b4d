"""Whatever a provisioner answers: it is understood and can be kept, or an own error says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from score_flyio.errors import ProvisionFailed
from score_flyio.resources.protocol import decode_answer, understand
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ResourceRecord
from score_flyio.state.yaml_form import dump_state, load_state
from tests.near_misses import mutated, values

UID = ResourceUid("pg", "default", "shop.db")
REQUEST = ProvisionRequest(uid=UID, guid="g")
SECRET = "hunter2"
GOOD: dict[str, Any] = {
    "values": {"host": "h", "ports": [1, 2.5]},
    "secrets": {"password": SECRET},
    "state": {"made": True},
    "shared": {"key": None},
}


def check(body: bytes, failure: str | None = None) -> None:
    refused: ProvisionFailed | None = None
    try:
        result = understand(body, failure, mode="provision", request=REQUEST, provisioner="p")
    except ProvisionFailed as error:
        refused = error
    if refused is not None:
        assert str(UID) in refused.message
        assert SECRET not in refused.message
        return
    state = ProjectState.new("x-")
    record = ResourceRecord(
        uid=UID, guid="g", state=result.state or {}, outputs=result.values or {}
    )
    state.resources[UID] = record
    kept = load_state(dump_state(state).encode().decode(), "state.yaml").resources[UID]
    assert (kept.outputs, kept.state) == (record.outputs, record.state)


@settings(deadline=None)
@given(mutated(GOOD) | values(), st.none() | st.just("exit code 3"))
def test_any_json(document: Any, failure: str | None) -> None:
    check(json.dumps(document).encode(), failure)


@given(st.binary(max_size=30), st.none() | st.just("exit code 3"))
def test_any_bytes(body: bytes, failure: str | None) -> None:
    check(body, failure)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("[" * 150 + "]" * 150, "deeper than 100 levels"),
        ("[" * 100_000, "nested too deeply"),
        ("1e999", "too large"),
        ("9" * 5000, "4300 digits"),
        ("NaN", "is not JSON"),
        ('"tab\t"', "not JSON: invalid control character at character 19$"),
    ],
)
def test_what_no_state_could_hold_is_refused(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode_answer(b'{"values":{"a":%s}}' % value.encode())


def test_halves_of_surrogate_pairs_become_a_replacement_character() -> None:
    body = rb'{"values":{"\ud800":["x\udfff", "\ud83d\ude00"]}}'
    assert decode_answer(body) == ProvisionResult(values={"\ufffd": ["x\ufffd", "😀"]})


@pytest.mark.parametrize(
    ("encoding", "why"),
    [("utf-8-sig", "byte order mark"), ("utf-16", "not UTF-8"), ("utf-16-le", "not JSON")],
)
def test_an_answer_is_utf_8_without_a_mark(encoding: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode_answer('{"values": {"a": 1}}'.encode(encoding))
