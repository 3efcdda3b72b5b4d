"""Work that begins before an event loop runs."""

from __future__ import annotations

import threading

import anyio
import pytest

from score_flyio.base.event_loop import Begun, begin, event_loop, in_thread, is_missing


async def here(_: None) -> int:
    return await in_thread(lambda _: threading.get_ident(), None)


def test_what_asks_for_no_event_loop_is_done_without_one() -> None:
    async def work() -> tuple[bool, int]:
        return is_missing(), await here(None)

    assert begin(work()) == (True, threading.get_ident())
    assert not is_missing()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_asks_for_one_goes_on_in_it(backend: str) -> None:
    seen: list[object] = []

    async def work() -> str:
        seen.append(is_missing())
        await event_loop()
        await event_loop()  # it is there now
        seen.append(is_missing())
        seen.append(await here(None) == threading.get_ident())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.lowlevel.checkpoint)
        return "done"

    left = begin(work())
    assert isinstance(left, Begun)
    assert not is_missing()

    async def go_on() -> str:
        return await left

    assert anyio.run(go_on, backend=backend) == "done"
    assert seen == [True, False, False]


def test_errors_come_out_as_they_are_before_and_after() -> None:
    async def early() -> None:
        raise ValueError("early")

    async def late() -> None:
        await event_loop()
        raise ValueError("late")

    with pytest.raises(ValueError, match="early"):
        begin(early())
    assert not is_missing()
    left = begin(late())
    assert isinstance(left, Begun)

    async def go_on() -> None:
        await left

    with pytest.raises(ValueError, match="late"):
        anyio.run(go_on)


def test_what_goes_on_in_an_event_loop_can_be_cancelled() -> None:
    cleaned = []

    async def work() -> None:
        await event_loop()
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(True)

    left = begin(work())
    assert isinstance(left, Begun)

    async def go_on() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await left

    anyio.run(go_on)
    assert cleaned == [True]
