"""The concurrent run: order, partial results, failures, the shared state."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
import trio.testing

from score_flyio.base.secret import Secret
from score_flyio.errors import ProvisionFailed, ResourceError
from score_flyio.events import ProvisioningFailed, ProvisioningFinished
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from tests.unit.resources.conftest import Fake, World, uid

MakeWorld = Callable[..., World]


on_a_clock_that_jumps = pytest.mark.parametrize(
    "anyio_backend",
    [("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})],
    ids=["trio"],
)
"""For tests whose provisioners take long: here they take no time."""


async def test_values_reach_the_params_of_others(world: MakeWorld) -> None:
    source = Fake(lambda _: ProvisionResult(values={"host": "h", "port": 5432}))
    sink = Fake(lambda r: ProvisionResult(values={"got": r.params}))
    w = world(
        {
            "db": {"type": "db"},
            "app": {
                "type": "app",
                "params": {"url": ["${resources.db.host}:${resources.db.port}"]},
            },
        },
        db=source,
        app=sink,
    )
    run = w.run()
    await run.run()
    outputs = await run.outputs([uid("app.default#shop.app")])
    assert outputs[uid("app.default#shop.app")].values == {"got": {"url": ["h:5432"]}}
    saved = (await w.saved()).resources[uid("app.default#shop.app")]
    assert saved.params == {"url": ["h:5432"]}
    assert saved.provisioner == "p-app"


async def test_a_secret_in_params_is_never_saved(world: MakeWorld) -> None:
    source = Fake(lambda _: ProvisionResult(values={"u": "me"}, secrets={"pw": "hunter2"}))
    sink = Fake()
    params = {"pw": "${resources.db.pw}", "user": "${resources.db.u}", "n": 1}
    w = world({"db": {"type": "db"}, "app": {"type": "app", "params": params}}, db=source, app=sink)
    run = w.run()
    await run.run()
    assert sink.requests[0].params == {"pw": "hunter2", "user": "me", "n": 1}
    saved = await w.saved()
    assert saved.resources[uid("app.default#shop.app")].params == {
        "pw": "${resources.db.pw}",
        "user": "me",
        "n": 1,
    }
    assert "hunter2" not in repr(saved) + repr(run) + repr(w.events)
    outputs = await run.outputs([uid("db.default#shop.db")])
    assert outputs[uid("db.default#shop.db")].secrets == {"pw": Secret("hunter2")}


async def test_a_failing_provisioner_repeats_no_secret(world: MakeWorld) -> None:
    def fail(request: ProvisionRequest) -> ProvisionResult:
        told = f"cannot use {request.params}"
        result = ProvisionResult(secrets={"token": "fresh-token"}, state={"half": True})
        raise ProvisionIncomplete(f"{told}, fresh-token", uid=str(request.uid), result=result)

    source = Fake(lambda _: ProvisionResult(values={"u": "me"}, secrets={"pw": "hunt'er2"}))
    params = {"pw": ["${resources.db.pw}"], "user": "${resources.db.u}"}
    w = world(
        {"db": {"type": "db"}, "app": {"type": "app", "params": params}}, db=source, app=Fake(fail)
    )
    with pytest.raises(ProvisionFailed, match="cannot use") as caught:
        await w.run().run()
    told = f"{caught.value} {caught.value.args} {w.events}"
    assert "me" in told
    assert not [secret for secret in ("hunt", "er2", "fresh-token") if secret in told]


async def test_a_failing_provisioner_repeats_no_secret_that_is_a_number_or_went_into_a_text(
    world: MakeWorld,
) -> None:
    """Ports and sizes, which stand among secrets too, are told."""

    def fail(request: ProvisionRequest) -> ProvisionResult:
        result = ProvisionResult(secrets={"codes": [5432123, 7.654321, True]}, state={})
        told = "no hunter2, 9876543 and 12345678 at 5432: 5432123 7.654321 is true"
        raise ProvisionIncomplete(told, uid=str(request.uid), result=result)

    secrets = {"pw": "hunter2", "pin": 9876543, "port": 5432, "unused": {"pin": 12345678}}
    params = {"url": "db://me:${resources.db.pw}@${resources.db.pin}"}
    resources = {"db": {"type": "db"}, "app": {"type": "app", "params": params}}
    w = world(resources, db=Fake(lambda _: ProvisionResult(secrets=secrets)), app=Fake(fail))
    with pytest.raises(ProvisionFailed, match="is true") as caught:
        await w.run().run()
    hidden = "********"
    told = f"no {hidden}, {hidden} and {hidden} at 5432: {hidden} {hidden} is true"
    assert caught.value.message.endswith(told)
    assert "hunter2" not in f"{caught.value} {caught.value.args} {w.events}"


async def test_parts_that_are_absent_keep_what_was_there(world: MakeWorld) -> None:
    answers = iter(
        [
            ProvisionResult(values={"v": 1}, state={"s": 1}),
            ProvisionResult(),
            ProvisionResult(values={}, state={}),
        ]
    )
    w = world({"db": {"type": "db"}}, db=Fake(lambda _: next(answers)))
    seen = []
    for _ in range(3):
        await w.run().run()
        record = (await w.saved()).resources[uid("db.default#shop.db")]
        seen.append((record.outputs, record.state))
    assert seen == [({"v": 1}, {"s": 1}), ({"v": 1}, {"s": 1}), ({}, {})]


async def test_a_failure_stops_only_what_needs_it(world: MakeWorld) -> None:
    def fail(request: ProvisionRequest) -> ProvisionResult:
        raise ProvisionFailed("it broke", uid=str(request.uid))

    w = world(
        {
            "bad": {"type": "bad"},
            "after": {"type": "good", "params": {"x": "${resources.bad.y}"}},
            "free": {"type": "good"},
        },
        bad=Fake(fail),
        good=Fake(),
    )
    run = w.run()
    with pytest.raises(ProvisionFailed, match="it broke"):
        await run.run()
    records = (await w.saved()).resources
    assert {str(u): r.provisioner for u, r in records.items()} == {
        "bad.default#shop.bad": "",
        "good.default#shop.after": "",
        "good.default#shop.free": "p-good",
    }
    with pytest.raises(ProvisionFailed, match="it broke"):
        await run.outputs([uid("good.default#shop.after")])
    assert await run.outputs([uid("good.default#shop.free")])
    assert [type(e) for e in w.events if isinstance(e, ProvisioningFailed)] == [ProvisioningFailed]


async def test_all_failures_are_told_together(world: MakeWorld) -> None:
    def fail(request: ProvisionRequest) -> ProvisionResult:
        raise ProvisionFailed(f"{request.uid} broke", uid=str(request.uid))

    w = world(
        {"aa": {"type": "bad"}, "bb": {"type": "bad"}, "cc": {"type": "nobody"}}, bad=Fake(fail)
    )
    with pytest.raises(ResourceError) as caught:
        await w.run().run()
    assert [p.code for p in caught.value.problems] == [
        "provisioner_failed",
        "provisioner_failed",
        "provisioner_not_found",
    ]
    assert all(name in str(caught.value.problems) for name in ("shop.aa", "shop.bb", "shop.cc"))


async def test_what_a_failed_provisioner_answered_is_kept(world: MakeWorld) -> None:
    def fail(request: ProvisionRequest) -> ProvisionResult:
        result = ProvisionResult(state={"half": True}, values={"v": 1}, shared={"k": 1})
        raise ProvisionIncomplete("half-way", uid=str(request.uid), result=result)

    w = world({"db": {"type": "db"}}, db=Fake(fail))
    with pytest.raises(ProvisionFailed):
        await w.run().run()
    saved = await w.saved()
    record = saved.resources[uid("db.default#shop.db")]
    assert (record.state, record.outputs, record.provisioner) == ({"half": True}, {"v": 1}, "p-db")
    assert saved.shared["k"] == 1


async def test_a_resource_nobody_serves_leaves_the_state_unless_it_was_provisioned(
    world: MakeWorld,
) -> None:
    w = world({"db": {"type": "nobody"}})
    with pytest.raises(ResourceError, match=r"nobody\.default#shop\.db"):
        await w.run().run()
    assert (await w.saved()).resources == {}


@on_a_clock_that_jumps
async def test_independent_resources_run_at_once_up_to_the_limit(world: MakeWorld) -> None:
    names = [f"r{index:02}" for index in range(30)]
    slow = Fake(seconds={f"shop.{name}": 60.0 for name in names})
    w = world({name: {"type": "slow"} for name in names}, slow=slow)
    started = anyio.current_time()
    await w.run(jobs=30).run()
    assert anyio.current_time() - started == 60.0
    await w.run(jobs=7).run()
    assert slow.most == 30
    assert anyio.current_time() - started == 60.0 + 5 * 60.0


@on_a_clock_that_jumps
async def test_an_unknown_provisioner_is_asked_alone_first(world: MakeWorld) -> None:
    names = [f"r{index}" for index in range(9)]
    slow = Fake(seconds={f"shop.{name}": 60.0 for name in names})
    w = world({name: {"type": "slow"} for name in names}, slow=slow)
    started = anyio.current_time()
    await w.run().run()
    assert anyio.current_time() - started == 120.0
    w.state = await w.saved()
    await w.run().run()
    assert anyio.current_time() - started == 180.0


@on_a_clock_that_jumps
async def test_a_workload_need_not_wait_for_the_resources_of_another(world: MakeWorld) -> None:
    slow = Fake(uses_shared=False, seconds={"late.db": 600.0})
    w = world(
        workloads={"early": {"db": {"type": "slow"}}, "late": {"db": {"type": "slow"}}}, slow=slow
    )
    run = w.run()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run)
        started = anyio.current_time()
        await run.outputs([uid("slow.default#early.db")])
        assert anyio.current_time() - started == 0
        await run.outputs([uid("slow.default#late.db")])
        assert anyio.current_time() - started == 600.0


def sharing(request: ProvisionRequest) -> ProvisionResult:
    """Answers what it saw, and a patch that depends on it."""
    names = [*request.shared.get("names", []), request.uid.id]
    return ProvisionResult(values={"saw": request.shared.get("names", [])}, shared={"names": names})


@on_a_clock_that_jumps
async def test_each_sees_the_shared_state_that_those_before_it_left(world: MakeWorld) -> None:
    seconds = {"shop.aa": 30.0, "shop.bb": 20.0, "shop.cc": 10.0}
    w = world(
        {name: {"type": "pg"} for name in ("cc", "aa", "bb")}, pg=Fake(sharing, seconds=seconds)
    )
    for _ in range(2):
        w.state.shared = {}
        await w.run().run()
        assert w.state.shared == {"names": ["shop.aa", "shop.bb", "shop.cc"]}
        assert w.state.resources[uid("pg.default#shop.cc")].outputs == {
            "saw": ["shop.aa", "shop.bb"]
        }
    assert w.state.uses_shared == {"p-pg": True}


@pytest.mark.parametrize("slowest", ["shop.aa", "shop.bb"])
@on_a_clock_that_jumps
async def test_who_is_faster_changes_nothing(world: MakeWorld, slowest: str) -> None:
    def patch(request: ProvisionRequest) -> ProvisionResult:
        return ProvisionResult(values=dict(request.shared), shared={"last": request.uid.id})

    fake = Fake(patch, uses_shared=False, seconds={slowest: 60.0})
    w = world({"aa": {"type": "pg"}, "bb": {"type": "pg"}}, pg=fake)
    w.state.shared = {"old": 1}
    await w.run().run()
    assert w.state.shared == {"old": 1, "last": "shop.bb"}
    assert w.state.resources[uid("pg.default#shop.bb")].outputs == {"old": 1}


async def test_what_params_refer_to_shows_its_changes(world: MakeWorld) -> None:
    w = world(
        {"aa": {"type": "pg"}, "bb": {"type": "pg", "params": {"x": "${resources.aa.saw}"}}},
        pg=Fake(sharing, uses_shared=False),
    )
    await w.run().run()
    assert w.state.resources[uid("pg.default#shop.bb")].outputs == {"saw": ["shop.aa"]}


@on_a_clock_that_jumps
async def test_a_cancelled_run_keeps_what_it_has(world: MakeWorld) -> None:
    fake = Fake(uses_shared=False, seconds={"shop.bb": 600.0})
    w = world({"aa": {"type": "pg"}, "bb": {"type": "pg"}}, pg=fake)
    run = w.run()
    with anyio.move_on_after(60.0):
        await run.run()
    records = (await w.saved()).resources
    assert records[uid("pg.default#shop.aa")].provisioner == "p-pg"
    assert records[uid("pg.default#shop.bb")].provisioner == ""
    with pytest.raises(ResourceError, match="ended before"):
        await run.outputs([uid("pg.default#shop.bb")])


async def test_only_what_the_workloads_of_the_run_need_is_provisioned(world: MakeWorld) -> None:
    fake = Fake()
    w = world(
        workloads={
            "one": {
                "db": {"type": "pg"},
                "dep": {"type": "pg", "params": {"x": "${resources.db}"}},
            },
            "two": {"shared": {"type": "pg", "id": "one.db"}, "own": {"type": "pg"}},
        },
        pg=fake,
    )
    await w.run("two").run()
    assert [str(request.uid) for request in fake.requests] == [
        "pg.default#one.db",
        "pg.default#two.own",
    ]


async def test_finished_events_name_outputs_without_values(world: MakeWorld) -> None:
    fake = Fake(lambda _: ProvisionResult(values={"host": "h"}, secrets={"pw": "hunter2"}))
    w = world({"db": {"type": "db"}}, db=fake)
    await w.run().run()
    (finished,) = [e for e in w.events if isinstance(e, ProvisioningFinished)]
    assert finished.outputs == ("host", "pw")
    assert finished.scope.resource == "db.default#shop.db"
