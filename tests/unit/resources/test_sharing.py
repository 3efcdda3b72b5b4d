"""The shared state: whatever runs at the same time, it ends as if one had followed the other."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from score_flyio.resources.plan import plan_resources
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.sharing import Sharing, merge_patch
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState
from tests.unit.resources.conftest import Fake, document, make_world

NAMES = [f"r{index}" for index in range(6)]
keys = st.sampled_from("abc")
patches = st.dictionaries(
    keys,
    st.none()
    | st.integers(0, 9)
    | st.dictionaries(keys, st.none() | st.integers(0, 9), max_size=2),
    max_size=2,
)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for index, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        needs = draw(st.lists(st.sampled_from(NAMES[:index]), max_size=2)) if index else []
        params = {f"p{n}": f"${{resources.{need}.v}}" for n, need in enumerate(needs)}
        resources[name] = {"type": draw(st.sampled_from(["xx", "yy", "zz"])), "params": params}
    return resources


def one_after_the_other(
    resources: dict[str, Any], answers: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """As the Go tool does it: what each saw, and the shared state at the end."""
    plan = plan_resources({"shop": document("shop", resources)}, ["shop"])
    shared = dict(ProjectState.new("pfx-").shared)
    seen = {}
    for uid in plan.order:
        seen[uid.id] = shared
        shared = merge_patch(shared, answers[uid.id.removeprefix("shop.")])
    return seen, shared


@settings(deadline=None)
@given(
    resources=projects(),
    answers=st.fixed_dictionaries(dict.fromkeys(NAMES, patches)),
    seconds=st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(0, 5))),
    known=st.booleans(),
)
def test_resources_that_share_see_what_those_before_them_left(
    resources: dict[str, Any], answers: dict[str, Any], seconds: dict[str, float], known: bool
) -> None:
    def answer(request: ProvisionRequest) -> ProvisionResult:
        patch = answers[request.uid.id.removeprefix("shop.")]
        return ProvisionResult(values={"v": 1, "saw": request.shared}, shared=patch)

    async def run() -> ProjectState:
        waits = {f"shop.{name}": float(value) for name, value in seconds.items()}
        xx, yy, zz = (Fake(answer, True if known else None, waits) for _ in range(3))
        world = make_world(resources, xx=xx, yy=yy, zz=zz)
        await world.run().run()
        return await world.saved()

    state = anyio.run(
        run,
        backend="trio",
        backend_options={"clock": trio.testing.MockClock(autojump_threshold=0)},
    )
    seen, shared = one_after_the_other(resources, answers)
    assert state.shared == shared
    if known or first_answers_tell(resources, answers):
        sharing = {uid for uid in state.resources if known or state.uses_shared[f"p-{uid.type}"]}
        assert {uid.id: state.resources[uid].outputs["saw"] for uid in sharing} == {
            uid.id: seen[uid.id] for uid in sharing
        }


def first_answers_tell(resources: dict[str, Any], answers: dict[str, Any]) -> bool:
    """Whether no provisioner shares that did not do so in its first answer."""
    plan = plan_resources({"shop": document("shop", resources)}, ["shop"])
    shares: dict[str, list[bool]] = {}
    for uid in plan.order:
        shares.setdefault(uid.type, []).append(bool(answers[uid.id.removeprefix("shop.")]))
    return all(first or not any(later) for first, *later in shares.values())


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_in_the_appendix_of_rfc_7386(target: Any, patch: Any, result: Any) -> None:
    before = repr(target)
    assert merge_patch(target, patch) == result
    assert repr(target) == before


async def test_provisioners_of_different_keys_do_not_wait_for_each_other() -> None:
    uids = tuple(ResourceUid(type_, "default", id_) for type_, id_ in KINDS)
    sharing = Sharing(
        base={"prefix": "p"},
        order=uids,
        served_by={uid: uid.type for uid in uids},
        changes={"db": True, "queue": True, "other": True},
        keys={"db": "dbs", "queue": "queues"},
    )
    waited: dict[str, list[str]] = {}
    for uid in uids:

        async def finished(earlier: ResourceUid, uid: ResourceUid = uid) -> None:
            waited.setdefault(uid.id, []).append(earlier.id)

        await sharing.turn(uid, frozenset(), finished)
        sharing.answered(uid, {"dbs" if uid.type == "db" else uid.type: {uid.id: 1}})
    # One that may change anything waits for all, and nobody with a key waits for it.
    assert waited == {"db2": ["db1"], "any": ["db1", "q1", "db2"], "q2": ["q1"]}
    assert sharing.view(uids[2]) == {"prefix": "p", "dbs": {"db1": 1}}


@pytest.mark.parametrize("failing", [0, 1, 3])
async def test_behind_the_first_that_succeeds_all_of_a_key_go_at_once(failing: int) -> None:
    uids = tuple(ResourceUid("db", "default", f"db{index}") for index in range(6))
    sharing = Sharing(
        base={"server": {"names": ["old", "gone"]}},
        order=uids,
        served_by=dict.fromkeys(uids, "db"),
        changes={"db": True},
        keys={"db": "server"},
    )
    done: set[ResourceUid] = set()
    waited: dict[str, list[ResourceUid]] = {uid.id: [] for uid in uids}

    def answer(uid: ResourceUid, *, complete: bool) -> None:
        seen = sharing.view(uid)["server"]["names"]
        left = [name for name in seen if name != "gone"]
        patch = {"server": {"names": [*left, uid.id], "half": None if complete else True}}
        sharing.answered(uid, patch, complete=complete)
        done.add(uid)

    async def turn(uid: ResourceUid) -> None:
        async def finished(earlier: ResourceUid) -> None:
            waited[uid.id].append(earlier)
            assert earlier in done

        await sharing.turn(uid, frozenset(), finished)

    for uid in uids[: failing + 1]:
        await turn(uid)
        answer(uid, complete=uid == uids[failing])
    for uid in uids[failing + 1 :]:
        await turn(uid)
    for uid in reversed(uids[failing + 1 :]):
        assert waited[uid.id] == list(uids[: failing + 1])
        answer(uid, complete=True)
    assert sharing.merged() == {"server": {"names": ["old", *(uid.id for uid in uids)]}}


KINDS = (("db", "db1"), ("queue", "q1"), ("db", "db2"), ("other", "any"), ("queue", "q2"))
