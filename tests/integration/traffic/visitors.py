"""People who visit an app, as many a second whatever happens, and what became of their requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Final

import anyio
import httpx
from attrs import define, field

METHODS: Final = ("GET", "POST")


@define(eq=False)
class Visitors:
    """Half of the requests cannot be sent twice."""

    url: str
    rate: float
    answers: Counter[str] = field(factory=Counter)
    """How often each version answered."""
    lost: Counter[str] = field(factory=Counter)
    """How often a request had no good answer, by what came instead."""

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """They come while the block runs; what they asked for is waited for."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
        async with (
            httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client,
            anyio.create_task_group() as asked,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(self._come, client, asked)
            yield
            tasks.cancel_scope.cancel()

    async def _come(self, client: httpx.AsyncClient, tasks: anyio.abc.TaskGroup) -> None:
        began = anyio.current_time()
        for number, method in enumerate(cycle(METHODS)):
            await anyio.sleep_until(began + number / self.rate)
            tasks.start_soon(self._ask, client, method)

    async def _ask(self, client: httpx.AsyncClient, method: str) -> None:
        try:
            answer = await client.request(method, f"{self.url}/work")
        except httpx.TransportError as error:
            self.lost[f"{method} {type(error).__name__}"] += 1
            return
        if answer.status_code == 200:
            self.answers[answer.text] += 1
        else:
            self.lost[f"{method} {answer.status_code}"] += 1

    @property
    def asked(self) -> int:
        """How many requests were sent."""
        return self.answers.total() + self.lost.total()
