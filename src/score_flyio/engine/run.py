"""A run that goes on: its events as they come, and its report when it ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from score_flyio.base.unwrap import unwrapped
from score_flyio.deploy.execution.report import Report
from score_flyio.errors import DeployError, HealthCheckFailed
from score_flyio.events import Event, EventLog

Work = Callable[[Callable[[Event], None]], Awaitable[Report]]


class Run:
    """Async context manager: the work goes on while the block runs, and ends before it is left.

    Leaving the block by an exception cancels the work. A run that failed leaves it with a
    `DeployError`; `report` says how each app went in any case.
    """

    def __init__(self, work: Work, log: EventLog) -> None:
        self._work = work
        self._log = log
        self._report: Report | None = None
        self._stack = AsyncExitStack()
        self._scope = anyio.CancelScope()
        self._send, self._receive = anyio.create_memory_object_stream[Event](float("inf"))

    @property
    def events(self) -> AsyncIterator[Event]:
        """The events of the run in order; ends when the run does."""
        return _until_closed(self._receive)

    @property
    def report(self) -> Report:
        """How the run ended. Raises DeployError while it goes on."""
        if self._report is None:
            raise DeployError("the run has not ended yet", code="run_not_ended")
        return self._report

    def cancel(self) -> None:
        """Ends the run: leases are released and the state is saved before it is over."""
        self._scope.cancel()

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._log.listen(self._hear)
        tasks.start_soon(self._do)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._scope.cancel()
        with unwrapped():
            try:
                await self._stack.__aexit__(kind, error, traceback)
            finally:
                if self._report is None:
                    self._report = Report(interrupted=True)
                self._log.unlisten(self._hear)
                self._send.close()
                self._receive.close()
        if error is None and self._report is not None:
            raise_failures(self._report)

    def _hear(self, event: Event) -> None:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._send.send_nowait(event)  # nobody reads any more once the run is over

    async def _do(self) -> None:
        with self._scope:
            self._report = await self._work(self._log.emit)
        self._send.close()
        if self._scope.cancelled_caught:
            self._report = Report(interrupted=True)


async def _until_closed(stream: MemoryObjectReceiveStream[Event]) -> AsyncIterator[Event]:
    async for event in stream:
        yield event


def raise_failures(report: Report) -> None:
    """Raises what a report is about, as one error; nothing when all went well."""
    if report.exit_code == 0:
        return
    kind = HealthCheckFailed if report.exit_code == 3 else DeployError
    raise kind(report.to_text(), failures=report.failures, report=report)
