"""The state at another place: what two runs may do to each other, and what a lost answer means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, field
from trio.testing import MockClock

from score_flyio.base.clock import Clock, EventLoopClock
from score_flyio.errors import StateConflict, StateCorrupt, StateError, StateLocked
from score_flyio.state import blobs as blobs_module
from score_flyio.state import remote as remote_module
from score_flyio.state.blobs import Found, Listed, Refused, Unavailable
from score_flyio.state.deployments_form import load_document
from score_flyio.state.encrypted import PlainForm
from score_flyio.state.model import ProjectState
from score_flyio.state.remote import HISTORY, VERSIONS_KEPT, RemoteStore, RemoteStoreWithHistory
from score_flyio.state.remote_lock import LASTS, MARGIN

Fault = Callable[[str, str, bool], None]


@define
class Bucket:
    """Objects in this process. A fault sees each call before and after it is carried out."""

    objects: dict[str, Found] = field(factory=dict)
    conditional: bool = True
    fault: Fault = lambda *_seen: None
    writes: int = 0
    shown: str = "memory://bucket/key"

    async def read(self, name: str) -> Found | None:
        await anyio.lowlevel.checkpoint()
        self.fault("read", name, False)
        return self.objects.get(name)

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str:
        await anyio.lowlevel.checkpoint()
        self.fault("write", name, False)
        there = self.objects.get(name)
        if self.conditional and (there and there.etag) != replaces:
            raise Refused("changed")
        self.writes += 1
        at = float(self.writes)
        self.objects[name] = Found(data=data, etag=str(self.writes), at=at)
        self.fault("write", name, True)
        return str(self.writes)

    async def delete(self, name: str, etag: str) -> None:
        await anyio.lowlevel.checkpoint()
        self.objects.pop(name, None)

    async def listed(self, prefix: str) -> list[Listed]:
        return [
            Listed(name=name, size=len(found.data))
            for name, found in self.objects.items()
            if name.startswith(prefix)
        ]


@define
class SetClock(Clock):
    now: float = 1_700_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs_module, "PAUSES", (0.0, 0.0))


@pytest.fixture
def new_store(bucket: Bucket, tmp_path: Path, clock: SetClock) -> Callable[[], RemoteStore]:
    return lambda: RemoteStore(bucket, form=PlainForm(), folder=tmp_path / "own", clock=clock)


def test_one_store_serves_event_loops_of_each_kind(new_store: Callable[[], RemoteStore]) -> None:
    store = new_store()

    async def change(prefix: str) -> None:
        async with store.lock("deploy"):
            await store.load()
            await store.save(ProjectState.new(prefix))

    for prefix, backend in (("a-", "asyncio"), ("b-", "trio"), ("c-", "asyncio")):
        anyio.run(change, prefix, backend=backend)
        saved = anyio.run(store.load, backend=backend)
        assert saved is not None
        assert saved.app_prefix == prefix


async def started(store: RemoteStore, prefix: str = "x-") -> ProjectState:
    await store.save(ProjectState.new(prefix))
    state = await store.load()
    assert state is not None
    return state


def failing(times: int, call: str, name: str, *, done: bool) -> Fault:
    """Loses the answers to the first calls of a kind."""
    left = [times]

    def fault(*seen: Any) -> None:
        if seen == (call, name, done) and left[0]:
            left[0] -= 1
            raise Unavailable("no answer")

    return fault


class TestSaving:
    async def test_what_was_saved_is_loaded(self, new_store: Callable[[], RemoteStore]) -> None:
        assert await new_store().load() is None
        state = await started(new_store())
        state.shared["made"] = "database"
        loaded = new_store()
        assert (await loaded.load()) is not None
        await loaded.save(state)
        again = await new_store().load()
        assert again is not None
        assert again.shared == state.shared

    async def test_an_equal_state_is_not_written_again(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        store = new_store()
        state = await started(store)
        await store.save(state)
        assert bucket.writes == 1

    async def test_nobody_overwrites_what_another_saved(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore], tmp_path: Path
    ) -> None:
        one, other = new_store(), new_store()
        await started(one)
        mine, theirs = await one.load(), await other.load()
        assert mine is not None
        assert theirs is not None
        theirs.shared["from"] = "theirs"
        await other.save(theirs)
        mine.shared["from"] = "mine"
        with pytest.raises(StateConflict, match="memory://bucket/key") as raised:
            await one.save(mine)
        assert b"theirs" in bucket.objects[""].data
        aside = tmp_path / "own/unsaved.yaml"
        assert load_document(aside.read_text(), "x").shared["from"] == "mine"
        assert aside.stat().st_mode & 0o777 == 0o600
        assert str(aside) in str(raised.value.hint)

    async def test_a_first_save_does_not_overwrite_either(
        self, new_store: Callable[[], RemoteStore]
    ) -> None:
        one, other = new_store(), new_store()
        assert await one.load() is None
        await started(other)
        with pytest.raises(StateConflict):
            await one.save(ProjectState.new("y-"))

    @pytest.mark.parametrize("done", [False, True], ids=["lost question", "lost answer"])
    async def test_a_lost_write_is_repeated_without_a_conflict(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore], done: bool
    ) -> None:
        store = new_store()
        state = await started(store)
        bucket.fault = failing(1, "write", "", done=done)
        for value in ("one", "two"):
            state.shared["value"] = value
            await store.save(state)
        assert bucket.writes == 3
        assert b"two" in bucket.objects[""].data

    async def test_a_save_that_fails_is_kept_aside_until_one_goes_well(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore], tmp_path: Path
    ) -> None:
        store = new_store()
        state = await started(store)
        bucket.fault = failing(99, "write", "", done=False)
        state.shared["made"] = "database"
        with pytest.raises(StateError, match="no answer"):
            await store.save(state)
        aside = tmp_path / "own/unsaved.yaml"
        assert "database" in aside.read_text()
        bucket.fault = failing(0, "", "", done=False)
        await store.save(state)
        assert not aside.exists()
        assert b"database" in bucket.objects[""].data

    @pytest.mark.parametrize("data", [b"\xff\xfe", b"a: [", b"- x\n", b""])
    async def test_damage_is_told_with_the_place(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore], data: bytes
    ) -> None:
        bucket.objects[""] = Found(data=data, etag="e")
        with pytest.raises(StateCorrupt, match="memory://bucket/key"):
            await new_store().load()


class TestLocking:
    async def test_the_second_run_is_told_who_holds_it(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        async with new_store().lock("deploy"):
            with pytest.raises(StateLocked, match=r"locked by deploy .* since 2023-11-14T22:13:20"):
                async with new_store().lock("destroy"):
                    pytest.fail("it was locked")
        assert bucket.objects == {}
        async with new_store().lock("destroy"):
            assert set(bucket.objects) == {".lock"}

    async def test_of_two_at_once_one_gets_it(self, new_store: Callable[[], RemoteStore]) -> None:
        ends: list[str] = []
        all_tried = anyio.Event()

        async def run() -> None:
            try:
                async with new_store().lock("deploy"):
                    ends.append("held")
                    await all_tried.wait()
            except StateLocked:
                ends.append("locked")

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(run)
            while len(ends) < 4:
                await anyio.lowlevel.checkpoint()
            all_tried.set()
        assert sorted(ends) == ["held", "locked", "locked", "locked"]

    async def test_an_error_inside_comes_out_as_it_is(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        with pytest.raises(KeyError, match="inside"):
            async with new_store().lock("deploy"):
                raise KeyError("inside")
        assert bucket.objects == {}

    async def test_cancellation_gives_it_back(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        with anyio.CancelScope() as scope:
            async with new_store().lock("deploy"):
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert bucket.objects == {}

    async def test_cancellation_while_it_is_taken_gives_it_back(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        with anyio.CancelScope() as scope:
            bucket.fault = lambda *seen: scope.cancel() if seen[0] == "write" else None
            async with new_store().lock("deploy"):
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert bucket.writes == 2
        assert bucket.objects == {}

    async def test_a_lock_that_cannot_be_tried_out_is_given_back(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        def fault(call: str, _name: str, done: bool) -> None:
            if call == "write" and not done and bucket.objects:
                raise Unavailable("no answer")

        bucket.fault = fault
        with pytest.raises(StateError, match="no answer"):
            async with new_store().lock("deploy"):
                pytest.fail("it is not sure")
        assert bucket.objects == {}

    @pytest.mark.parametrize(("after", "free"), [(LASTS, False), (LASTS + MARGIN + 1, True)])
    async def test_the_lock_of_a_dead_run_ends_with_time(
        self,
        bucket: Bucket,
        clock: SetClock,
        new_store: Callable[[], RemoteStore],
        after: float,
        free: bool,
    ) -> None:
        async with new_store().lock("dead"):
            left_behind = bucket.objects[".lock"]
        bucket.objects[".lock"] = left_behind
        clock.now += after
        if free:
            async with new_store().lock("next"):
                assert b'"next"' in bucket.objects[".lock"].data
            return
        with pytest.raises(StateLocked, match="dead"):
            async with new_store().lock("next"):
                pytest.fail("it was locked")

    @pytest.mark.parametrize("done", [False, True], ids=["lost question", "lost answer"])
    async def test_a_lost_answer_locks_nobody_out(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore], done: bool
    ) -> None:
        bucket.fault = failing(1, "write", ".lock", done=done)
        async with new_store().lock("deploy"):
            assert set(bucket.objects) == {".lock"}
        assert bucket.objects == {}

    async def test_a_place_that_ignores_conditions_is_refused(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        bucket.conditional = False
        with pytest.raises(StateError, match="overwrites"):
            async with new_store().lock("deploy"):
                pytest.fail("it is not safe")
        assert bucket.objects == {}

    async def test_unlock_takes_it_away_and_tells_whose_it_was(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        assert await new_store().unlock() is None
        async with new_store().lock("stuck"):
            assert str(await new_store().unlock()).startswith("stuck (process ")
            assert bucket.objects == {}

    async def test_another_lock_is_not_given_back(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        async with new_store().lock("other"):
            others = bucket.objects[".lock"]
        async with new_store().lock("one"):
            bucket.objects[".lock"] = others
        assert bucket.objects == {".lock": others}

    async def test_an_unreadable_lock_is_a_lock(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        bucket.objects[".lock"] = Found(data=b"?", etag="e")
        with pytest.raises(StateLocked, match="another run"):
            async with new_store().lock("deploy"):
                pytest.fail("it was locked")
        assert await new_store().unlock() == "an unknown run"


class TestRenewal:
    """On a clock that jumps; nothing here uses threads."""

    @pytest.fixture
    def anyio_backend(self) -> Any:
        return "trio", {"clock": MockClock(autojump_threshold=0)}

    @pytest.fixture
    def new_store(self, bucket: Bucket, tmp_path: Path) -> Callable[[], RemoteStore]:
        clock = EventLoopClock()
        return lambda: RemoteStore(bucket, form=PlainForm(), folder=tmp_path, clock=clock)

    async def test_a_long_run_keeps_it(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        async with new_store().lock("long"):
            for _ in range(10):
                await anyio.sleep(LASTS)
                with pytest.raises(StateLocked, match="long"):
                    async with new_store().lock("other"):
                        pytest.fail("it was locked")
        assert bucket.objects == {}

    async def test_a_short_fault_of_the_place_does_not_end_it(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        async with new_store().lock("long"):
            bucket.fault = failing(5, "write", ".lock", done=False)
            await anyio.sleep(10 * LASTS)
            with pytest.raises(StateLocked, match="long"):
                async with new_store().lock("other"):
                    pytest.fail("it was locked")

    async def test_a_run_that_lost_it_saves_no_more(
        self, bucket: Bucket, new_store: Callable[[], RemoteStore]
    ) -> None:
        store = new_store()
        async with store.lock("long"):
            await store.unlock()
            await anyio.sleep(LASTS)
            with pytest.raises(StateConflict, match="taken away"):
                await store.save(ProjectState.new("x-"))
        assert bucket.objects == {}


class TestHistory:
    @pytest.fixture
    def new_store(self, bucket: Bucket, tmp_path: Path) -> Callable[[], RemoteStoreWithHistory]:
        return lambda: RemoteStoreWithHistory(bucket, form=PlainForm(), folder=tmp_path)

    async def test_each_run_keeps_what_it_found(
        self, bucket: Bucket, new_store: Callable[[], RemoteStoreWithHistory]
    ) -> None:
        await new_store().save(ProjectState.new("x-"))
        for run in ("a", "b"):
            store = new_store()
            state = await store.load()
            assert state is not None
            for step in range(3):
                state.shared["value"] = f"{run}{step}"
                await store.save(state)
        versions = await new_store().history()
        assert [version.current for version in versions] == [True, False, False]
        found = [await new_store().earlier(version.id) for version in versions]
        assert [state and state.shared.get("value") for state in found] == ["b2", "a2", None]
        assert await new_store().earlier("nothing") is None

    async def test_only_the_newest_are_kept(
        self, bucket: Bucket, new_store: Callable[[], RemoteStoreWithHistory]
    ) -> None:
        await new_store().save(ProjectState.new("x-"))
        for run in range(VERSIONS_KEPT + 5):
            store = new_store()
            state = await store.load()
            assert state is not None
            state.shared["value"] = str(run)
            await store.save(state)
        versions = await new_store().history()
        assert len(versions) == VERSIONS_KEPT + 1
        times = [version.at for version in versions if version.at is not None]
        assert times == sorted(times, reverse=True)
        oldest = await new_store().earlier(versions[-1].id)
        assert oldest is not None
        assert oldest.shared["value"] == "4"

    @pytest.mark.parametrize("late", [False, True])
    async def test_a_save_that_is_done_outlives_a_history_that_is_not_written(
        self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
    ) -> None:
        told: list[str] = []
        store = RemoteStoreWithHistory(bucket, form=PlainForm(), folder=tmp_path, warn=told.append)
        state = await started(store)

        def fault(call: str, name: str, done: bool) -> None:
            if call == "write" and name.startswith(HISTORY):
                raise StateError("access is refused")

        if late:
            monkeypatch.setattr(remote_module, "HISTORY_SECONDS", 0.0)
        else:
            bucket.fault = fault
        state.shared["value"] = "kept"
        await store.save(state)
        await store.save(state)
        (text,) = told
        assert "memory://bucket/key: the state is saved, but what was there before" in text
        assert ("no answer in 0 s" if late else "access is refused") in text
        assert b"kept" in bucket.objects[""].data

    async def test_a_run_that_changes_nothing_keeps_nothing(
        self, bucket: Bucket, new_store: Callable[[], RemoteStoreWithHistory]
    ) -> None:
        await new_store().save(ProjectState.new("x-"))
        store = new_store()
        state = await store.load()
        assert state is not None
        await store.save(state)
        assert len(await new_store().history()) == 1
