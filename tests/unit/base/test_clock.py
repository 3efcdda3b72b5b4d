"""Time that advances with the event loop."""

from __future__ import annotations

import time

import anyio
import pytest
from trio.testing import MockClock

from score_flyio.base.clock import EventLoopClock


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_it_starts_when_it_is_first_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    clock = EventLoopClock(start=None)
    monkeypatch.setattr(time, "time", lambda: 1004.0)
    assert clock.time() == 1004.0
    await anyio.sleep(60)
    assert clock.time() == 1064.0


async def test_it_starts_where_it_is_told_to() -> None:
    clock = EventLoopClock(start=7.0)
    await anyio.sleep(60)
    assert clock.time() == 7.0
    await anyio.sleep(1.5)
    assert clock.time() == 8.5
