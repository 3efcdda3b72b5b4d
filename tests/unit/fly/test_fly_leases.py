"""Leases are taken, kept alive, noticed when lost, and always given back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from attrs import define, field

from fly_machines import models
from score_flyio.errors import FlyApiError, FlyServerError, LeaseHeld, LeaseLost
from score_flyio.errors.unwrap import unwrapped
from score_flyio.events import LeaseAcquired, LeaseAwaited, LeaseReleased, Scope, WarningRaised
from score_flyio.fly.leases import LeaseBook
from score_flyio.fly.retry import RetryPolicy
from tests.unit.fly.scripted import Connect, Seen, Session, answer

NONCE = "fly-machine-lease-nonce"


@define
class LeaseDesk:
    """The platform's side of leases."""

    holders: dict[str, tuple[str, float]] = field(factory=dict)
    """Machine → nonce and end."""
    gone: set[str] = field(factory=set)
    override: Callable[[Seen], httpx.Response | None] = field(default=lambda _: None)
    count: int = 0

    def __call__(self, seen: Seen) -> httpx.Response:
        early = self.override(seen)
        if early is not None:
            return early
        machine = seen.path.split("/")[5]
        if machine in self.gone:
            return answer(404, {"error": "machine not found"})
        nonce, ends = self.holders.get(machine, ("", 0.0))
        given = seen.headers.get(NONCE)
        if seen.at >= ends:
            self.holders.pop(machine, None)
            nonce = ""
        if seen.method == "DELETE":
            if not nonce:
                return answer(404, {"error": "lease not found"})
            del self.holders[machine]
            return answer(200, {"status": "success", "data": {"ok": True}})
        if given and not nonce:
            return answer(404, {"error": "lease not found"})
        if nonce and nonce != given:
            message = "lease currently held by other@example.com, expires at 2030-01-01T00:00:00Z"
            return answer(409, {"status": "error", "message": message, "code": "invalid"})
        if not nonce:
            self.count += 1
            nonce = f"n{self.count}"
        self.holders[machine] = (nonce, seen.at + seen.body["ttl"])
        lease = {"nonce": nonce, "expires_at": 1_700_000_000, "owner": "me", "version": "01V"}
        return answer(201, {"status": "success", "data": lease})


@asynccontextmanager
async def held(session: Session, *machines: str, **given: Any) -> AsyncIterator[LeaseBook]:
    """The machines are held while the block runs; given back when it is left."""
    settings: dict[str, Any] = {"ttl": 30, "wait": 0, "emit": session.events.append} | given
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            book = LeaseBook(api=session.client.api, app="web", tasks=tasks, **settings)
            try:
                await book.hold(machines)
                yield book
            finally:
                book.release_all()


async def test_a_lease_is_kept_alive_beyond_its_ttl_and_given_back(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    async with held(session, "m1") as book:
        assert book.nonce("m1") == "n1"
        await anyio.sleep(300)
        assert book.nonce("m1") == "n1"
        assert desk.holders["m1"][1] > anyio.current_time()
    assert desk.holders == {}
    posts = session.platform.calls("POST")
    assert posts[0].body == {"description": "score-flyio deploy", "ttl": 30}
    assert NONCE not in posts[0].headers
    assert {post.headers[NONCE] for post in posts[1:]} == {"n1"}
    assert 300 / 15 <= len(posts) <= 300 / 14
    assert session.platform.calls("DELETE")[0].headers[NONCE] == "n1"
    assert [len(session.of(kind)) for kind in (LeaseAcquired, LeaseReleased)] == [1, 1]


async def test_a_lease_is_given_back_after_an_error_which_comes_out_as_it_is(
    connect: Connect,
) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    with pytest.raises(KeyError, match="mine"):
        async with held(session, "m1"):
            raise KeyError("mine")
    assert desk.holders == {}


async def test_a_lease_is_given_back_when_cancelled(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    with anyio.move_on_after(50) as scope:
        async with held(session, "m1"):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert desk.holders == {}


async def test_a_lease_whose_answer_is_on_its_way_is_given_back_when_cancelled(
    connect: Connect,
) -> None:
    desk = LeaseDesk()

    async def slow(seen: Seen) -> httpx.Response:
        result = desk(seen)
        await anyio.sleep(2 if seen.method == "POST" else 0)
        return result

    session = connect(slow)
    with anyio.move_on_after(1):
        async with held(session, "m1"):
            raise AssertionError("not reached")
    assert desk.count == 1
    assert desk.holders == {}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_cancellation_does_not_hang_on_a_platform_that_is_silent(
    connect: Connect, method: str
) -> None:
    desk = LeaseDesk()

    async def silent(seen: Seen) -> httpx.Response:
        if seen.method == method:
            await anyio.sleep_forever()
        return desk(seen)

    session = connect(silent)
    start = anyio.current_time()
    with anyio.move_on_after(1):
        async with held(session, "m1"):
            await anyio.sleep_forever()
    assert anyio.current_time() - start == pytest.approx(6)


async def test_someone_elses_lease_is_named_with_holder_and_end(connect: Connect) -> None:
    desk = LeaseDesk(holders={"m1": ("theirs", 1e9)})
    session = connect(desk)
    with pytest.raises(LeaseHeld) as caught:
        async with held(session, "m1"):
            raise AssertionError("not reached")
    assert "other@example.com" in str(caught.value)
    assert "2030" in str(caught.value)
    assert "m1" in str(caught.value)
    assert not session.platform.calls("DELETE")


@pytest.mark.parametrize(("wait", "got"), [(60, True), (20, False)])
async def test_someone_elses_lease_is_waited_for_as_long_as_asked(
    connect: Connect, wait: float, got: bool
) -> None:
    start = anyio.current_time()
    desk = LeaseDesk(holders={"m1": ("theirs", start + 40)})
    session = connect(desk)
    if got:
        async with held(session, "m1", wait=wait):
            assert anyio.current_time() - start == pytest.approx(41, abs=2)
    else:
        with pytest.raises(LeaseHeld):
            async with held(session, "m1", wait=wait):
                raise AssertionError("not reached")
        assert anyio.current_time() - start <= wait


async def test_who_holds_a_machine_is_told_once(connect: Connect) -> None:
    desk = LeaseDesk()
    desk.holders["m1"] = ("theirs", 40.0 + anyio.current_time())
    session = connect(desk)
    scope = Scope(workload="shop", group="app")
    async with held(session, "m1", wait=60, scope=scope):
        (told,) = session.of(LeaseAwaited)
        assert told.scope == Scope(workload="shop", group="app", app="web", machine="m1")
        assert told.reason.startswith("lease currently held by other@example.com, expires at")


async def test_a_lost_answer_is_waited_out(connect: Connect) -> None:
    desk = LeaseDesk()
    lost = [True]

    def cut(seen: Seen) -> httpx.Response:
        result = desk(seen)
        if seen.method == "POST" and lost.pop() if lost else False:
            raise httpx.ReadError("cut")
        return result

    session = connect(cut)
    start = anyio.current_time()
    async with held(session, "m1", ttl=10) as book:
        assert book.nonce("m1") == "n2"
        assert anyio.current_time() - start == pytest.approx(11, abs=2)


async def test_a_machine_that_is_gone_needs_no_lease(connect: Connect) -> None:
    session = connect(LeaseDesk(gone={"m1"}))
    async with held(session, "m1", wait=100) as book:
        assert book.nonce("m1") is None
    assert len(session.platform.seen) == 1


async def test_an_error_of_another_kind_is_raised_at_once(connect: Connect) -> None:
    session = connect(LeaseDesk(override=lambda _: answer(403)))
    with pytest.raises(FlyApiError):
        async with held(session, "m1", wait=100):
            raise AssertionError("not reached")
    assert len(session.platform.seen) == 1


async def test_a_platform_that_keeps_failing_is_given_up(connect: Connect) -> None:
    session = connect(LeaseDesk(override=lambda _: answer(500)))
    with pytest.raises(FlyServerError):
        async with held(session, "m1"):
            raise AssertionError("not reached")


@pytest.mark.parametrize("how", ["stolen", "expired on the platform", "unreachable"])
async def test_a_lost_lease_is_told_to_who_needs_it(connect: Connect, how: str) -> None:
    desk = LeaseDesk()
    session = connect(desk, retry=RetryPolicy(attempts=2))
    async with held(session, "m1", "m2") as book:
        if how == "stolen":
            desk.holders["m1"] = ("theirs", 1e9)
        elif how == "unreachable":
            desk.override = lambda seen: answer(503) if "m1" in seen.path else None
        else:
            del desk.holders["m1"]
        await anyio.sleep(31 + 5)
        with pytest.raises(LeaseLost, match="m1"):
            book.nonce("m1")
        assert book.nonce("m2")
    assert "m2" not in desk.holders


@pytest.mark.parametrize("how", ["slow", "failing"])
async def test_who_has_slow_answers_is_told_of_longer_leases(connect: Connect, how: str) -> None:
    desk = LeaseDesk()

    async def platform(seen: Seen) -> httpx.Response:
        if how == "slow":
            await anyio.sleep(3)
        elif desk.count:
            return answer(503)
        return desk(seen)

    session = connect(platform, retry=RetryPolicy(attempts=1))
    async with held(session, "m1", ttl=2) as book:
        await anyio.sleep(5)
        with pytest.raises(LeaseLost, match="could not be renewed in time") as lost:
            book.nonce("m1")
    assert lost.value.hint is not None
    assert ("--lease-timeout" in lost.value.hint) == (how == "slow")
    assert "run the same command again" in lost.value.hint


async def test_renewals_that_fail_for_a_while_do_no_harm(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk, retry=RetryPolicy(attempts=1))
    async with held(session, "m1", ttl=30) as book:
        desk.override = lambda _: answer(500)
        await anyio.sleep(20)
        desk.override = lambda _: None
        await anyio.sleep(100)
        assert book.nonce("m1") == "n1"


async def test_a_machine_deleted_under_its_lease_is_no_loss(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    async with held(session, "m1") as book:
        desk.gone.add("m1")
        await anyio.sleep(100)
        assert book.nonce("m1") == "n1"
    assert len(session.platform.calls("POST")) == 2
    assert not session.of(WarningRaised)


async def test_a_release_that_fails_is_a_warning(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    async with held(session, "m1"):
        desk.override = lambda _: answer(500)
    assert [event.code for event in session.of(WarningRaised)] == ["lease_not_released"]


async def test_several_leases_are_held_together(connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    machines = [f"m{number}" for number in range(40)]
    start = anyio.current_time()
    async with held(session, *machines) as book:
        assert anyio.current_time() == start
        assert len({book.nonce(machine) for machine in machines}) == 40
    assert desk.holders == {}


async def test_leases_of_very_many_last_longer_and_are_renewed_seldom_enough(
    connect: Connect,
) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    machines = [f"m{number}" for number in range(500)]
    async with held(session, *machines, ttl=2) as book:
        assert book.seconds == 10
        taken = len(session.platform.calls("POST"))
        await anyio.sleep(60)
        assert (len(session.platform.calls("POST")) - taken) / 60 == pytest.approx(100, rel=0.2)
        for machine in machines[1:]:
            book.forget(machine)
        assert book.seconds == 2
        await anyio.sleep(60)
        assert book.nonce("m0")


async def test_the_longer_leases_of_a_killed_run_are_waited_for(connect: Connect) -> None:
    start = anyio.current_time()
    desk = LeaseDesk(holders={"m7": ("theirs", start + 10)})
    session = connect(desk)
    async with held(session, *(f"m{number}" for number in range(500)), ttl=2, wait=5):
        assert anyio.current_time() - start == pytest.approx(11, abs=2)
    desk.holders["m7"] = ("theirs", anyio.current_time() + 10)
    with pytest.raises(LeaseHeld):
        async with held(session, *(f"m{number}" for number in range(500)), ttl=2, wait=0):
            raise AssertionError("not reached")


async def test_whoever_waits_for_a_lease_holds_none(connect: Connect) -> None:
    start = anyio.current_time()
    desk = LeaseDesk(holders={"m2": ("theirs", start + 100)})
    session = connect(desk)
    asked: list[str] = []

    def watch(seen: Seen) -> httpx.Response | None:
        if start + 1 < seen.at < start + 99:
            assert set(desk.holders) == {"m2"}
            asked.append(seen.path.split("/")[5])
        return None

    desk.override = watch
    async with held(session, "m1", "m2", "m3", wait=200) as book:
        assert {book.nonce(machine) for machine in ("m1", "m2", "m3")} == {"n3", "n4", "n5"}
    assert set(asked) == {"m2"}
    assert desk.holders == {}


async def test_two_runs_that_meet_get_all_leases_one_after_the_other(connect: Connect) -> None:
    """Each is granted one machine at first, in step with the other one."""
    desk, done = LeaseDesk(), []

    async def slow(seen: Seen) -> httpx.Response:
        await anyio.sleep(0.1)
        return desk(seen)

    session = connect(slow)

    async def one(*machines: str) -> None:
        async with held(session, *machines, wait=60) as book:
            assert all(book.nonce(machine) for machine in machines)
            await anyio.sleep(5)
            done.append(machines)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, "m1", "m2", "m3")
        tasks.start_soon(one, "m1", "m2", "m3")
    assert len(done) == 2
    assert desk.holders == {}


async def test_what_may_be_in_the_making_is_not_touched_while_others_are_waited_for(
    connect: Connect,
) -> None:
    desk = LeaseDesk(holders={"blue": ("theirs", anyio.current_time() + 20)})
    session = connect(desk)
    early: list[bool] = []

    def watch(seen: Seen) -> httpx.Response | None:
        if "green" in seen.path and seen.method == "POST":
            early.append("theirs" in {nonce for nonce, _ in desk.holders.values()})
        return None

    desk.override = watch
    async with anyio.create_task_group() as tasks:
        book = LeaseBook(
            api=session.client.api, app="web", tasks=tasks, ttl=30, wait=60, emit=lambda _: None
        )
        await book.hold(["blue"], at_last=["green"])
        assert book.nonce("green")
        await book.let_go()
        assert desk.holders == {}
        await book.hold(["green"])
        book.release_all()
    assert early
    assert not any(early)


async def test_the_lease_of_a_new_machine_is_kept_and_forgotten_with_it(connect: Connect) -> None:
    start = anyio.current_time()
    desk = LeaseDesk(holders={"new": ("born", start + 30), "other": ("twin", start + 30)})
    session = connect(desk)
    async with held(session) as book:
        book.adopt(models.Machine(id="new", nonce="born"))
        book.adopt(models.Machine(id="other", nonce="twin"))
        await anyio.sleep(100)
        assert book.nonce("new") == "born"
        book.forget("new")
        del desk.holders["new"]
        assert book.nonce("new") is None
    assert desk.holders == {}
    assert [call.path.split("/")[5] for call in session.platform.calls("DELETE")] == ["other"]


async def test_the_lease_of_a_machine_whose_creation_was_not_answered(connect: Connect) -> None:
    start = anyio.current_time()
    desk = LeaseDesk(holders={"new": ("lost", start + 30)})
    async with held(connect(desk)) as book:
        book.adopt(models.Machine(id="new"))
        await book.settled("new")
        assert book.nonce("new") == "n1"
        assert anyio.current_time() - start == pytest.approx(31, abs=2)
    assert desk.holders == {}


async def test_a_granted_lease_tells_the_version_of_its_machine(connect: Connect) -> None:
    session = connect(LeaseDesk(gone={"m2"}))
    async with held(session, "m1", "m2") as book:
        assert (book.version("m1"), book.is_gone("m1")) == ("01V", False)
        assert (book.version("m2"), book.is_gone("m2")) == (None, True)


async def test_of_several_leases_all_or_none_are_held(connect: Connect) -> None:
    desk = LeaseDesk(holders={"m3": ("theirs", 1e9)})
    session = connect(desk)
    with pytest.raises(LeaseHeld, match="m3"):
        async with held(session, "m1", "m2", "m3", "m4"):
            raise AssertionError("not reached")
    assert set(desk.holders) == {"m3"}


async def test_a_lease_without_an_envelope_is_understood(connect: Connect) -> None:
    session = connect([answer(201, {"nonce": "bare"}), answer(200)])
    async with held(session, "m1") as book:
        assert book.nonce("m1") == "bare"


async def test_the_nonce_shows_in_no_repr(connect: Connect) -> None:
    session = connect(LeaseDesk())
    async with held(session, "m1") as book:
        nonce = book.nonce("m1")
        assert nonce
        assert nonce not in repr(book)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_both_event_loops(anyio_backend: str, connect: Connect) -> None:
    desk = LeaseDesk()
    session = connect(desk)
    with pytest.raises(ValueError, match="body"):
        async with held(session, "m1", "m2"):
            raise ValueError("body")
    assert desk.holders == {}
