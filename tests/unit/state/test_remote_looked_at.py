"""A state elsewhere that is looked at while a run of the same program saves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, field

from score_flyio.state.blobs import Found
from score_flyio.state.encrypted import PlainForm
from score_flyio.state.remote import RemoteStore, RemoteStoreWithHistory
from tests.unit.state.test_remote import Bucket, SetClock, started


@define
class SlowBucket(Bucket):
    """The next look at the state gets what was there when it began."""

    began: anyio.Event | None = None
    goes_on: anyio.Event = field(factory=anyio.Event)

    async def read(self, name: str) -> Found | None:
        found = await super().read(name)
        if name == "" and self.began is not None:
            self.began.set()
            self.began = None
            await self.goes_on.wait()
        return found


@pytest.mark.parametrize("with_history", [False, True])
async def test_whoever_looks_while_a_run_saves_is_not_taken_for_somebody_who_changed_it(
    tmp_path: Path, with_history: bool
) -> None:
    bucket = SlowBucket()
    place: Any = {"form": PlainForm(), "folder": tmp_path / "own", "clock": SetClock()}
    store = (
        RemoteStoreWithHistory(bucket, **place) if with_history else RemoteStore(bucket, **place)
    )
    await started(store)
    async with store.lock("deploy"):
        state = await store.load()
        assert state is not None
        bucket.began = began = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.load)
            await began.wait()
            state.app_prefix = "y-"
            await store.save(state)
            bucket.goes_on.set()
        state.app_prefix = "z-"
        await store.save(state)
    found = await store.load()
    assert found is not None
    assert found.app_prefix == "z-"
