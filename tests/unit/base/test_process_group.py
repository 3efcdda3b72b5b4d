from __future__ import annotations

import os
import sys

import anyio
import pytest

from score_flyio.base.process_group import feed, running

COUNTS = "import sys; print(len(sys.stdin.buffer.read()))"


async def counted(content: bytes, *, fed: bool) -> int:
    """How many bytes a program read."""
    async with running([sys.executable, "-c", COUNTS], os.environ, content) as process:
        assert process.stdout is not None
        async with anyio.create_task_group() as tasks:
            if fed:
                tasks.start_soon(feed, process, content)
            told = b"".join([chunk async for chunk in process.stdout])
    return int(told)


@pytest.mark.skipif(sys.platform == "win32", reason="it is fed after its start there")
@pytest.mark.parametrize("size", [0, 1, 4096])
async def test_a_program_that_nobody_lived_to_feed_has_read_it_all(size: int) -> None:
    assert await counted(b"x" * size, fed=False) == size


@pytest.mark.parametrize("size", [0, 4096, 3_000_000])
async def test_what_no_pipe_holds_is_read_as_well(size: int) -> None:
    assert await counted(b"x" * size, fed=True) == size


async def test_a_program_that_reads_nothing_is_left_alone() -> None:
    content = b"x" * 3_000_000
    async with running([sys.executable, "-c", ""], os.environ, content) as process:
        await feed(process, content)
        assert await process.wait() == 0
