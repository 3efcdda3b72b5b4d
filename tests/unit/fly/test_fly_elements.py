"""Long lists: read one element after another, equal parts kept once, nothing else told of them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines import models
from score_flyio import errors
from score_flyio.fly.codec import ShapeError, structure_answer, unstructure
from score_flyio.fly.elements import Elements, sharing
from tests.unit.fly.scripted import Connect

JSON = st.recursive(
    st.sampled_from([None, False, 0, 0.0, True, 1, 1.0, 7]) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
BROKEN = ("[", "[1", "[1,", "[1,]", "[1 2]", "[1] 2", "[,1]", "{}", "", "1]", "[1]]", "]")


@given(st.lists(JSON, max_size=4), st.sampled_from([None, 1]))
def test_elements_are_those_of_the_array(value: list[Any], indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    for spaced in (text, f" \n{text}\r\t"):
        elements = Elements(spaced)
        assert list(elements) == list(elements) == value


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        list(Elements(text))
    with pytest.raises(json.JSONDecodeError):
        structure_answer(Elements(text), list[Any])


def machine(number: int) -> dict[str, Any]:
    return {
        "id": f"m{number}",
        "config": {
            "guest": {"cpus": 1 + number // 2},
            "metadata": {"group": "web", "launch": str(number)},
            "services": [{"internal_port": 8080, "ports": [{"port": 443}]}],
        },
        "events": [{"id": f"e{each}", "type": "start"} for each in range(number + 1)],
        "new": {"number": number, "same": [True]},
    }


def test_machines_are_as_they_were_and_share_what_is_equal() -> None:
    plain = [machine(number) for number in (0, 1, 1, 2, 0)]
    found = structure_answer(Elements(json.dumps(plain)), list[models.Machine])
    assert found == structure_answer(plain, list[models.Machine])
    configs = [each.config for each in found if each.config is not None]
    assert configs[0].guest is configs[1].guest is not configs[3].guest
    assert all(each.services is configs[0].services for each in configs)
    assert found[1] is found[2]


def test_all_places_that_do_not_fit_are_named() -> None:
    wrong = [machine(0), {"id": 5}, machine(1), {"state": []}]
    with pytest.raises(ShapeError) as of_elements:
        structure_answer(Elements(json.dumps(wrong)), list[models.Machine])
    with pytest.raises(ShapeError) as of_list:
        structure_answer(wrong, list[models.Machine])
    assert of_elements.value.problems == of_list.value.problems
    assert len(of_list.value.problems) == 2


@given(JSON, JSON)
def test_sharing_changes_nothing(one: Any, other: Any) -> None:
    before, untouched = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    assert json.dumps(sharing(one, other), sort_keys=True) == before
    assert json.dumps(other, sort_keys=True) == untouched


def test_members_that_nobody_knows_keep_their_types() -> None:
    told = [{"config": {"new": {"on": on}}, "id": "m"} for on in (1, True, 1.0)]
    found = structure_answer(Elements(json.dumps(told)), list[models.Machine])
    assert json.dumps(unstructure(found)) == json.dumps(told)


async def test_a_list_that_was_cut_is_a_protocol_error_and_read_again(connect: Connect) -> None:
    kind = {"content-type": "application/json"}
    cut = httpx.Response(200, text='[{"id": "m1"}, {"id": "m', headers=kind)
    whole = httpx.Response(200, text='[{"id": "m1"}]', headers=kind)
    session = connect([cut, whole])
    assert [each.id for each in await session.client.api.machines_list("web")] == ["m1"]
    with pytest.raises(errors.FlyProtocolError, match="not JSON"):
        await connect([cut] * 5).client.api.machines_list("web")
