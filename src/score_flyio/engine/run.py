"""A run that goes on: its events as they come, and its report when it ended."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import anyio

from score_flyio.base.record import define
from score_flyio.errors import DeployError, EngineBusy, HealthCheckFailed
from score_flyio.errors.unwrap import leaves, unwrapped
from score_flyio.events import Event, EventLog, RunFinished

if TYPE_CHECKING:
    from score_flyio.deploy.execution.report import Report

Work: TypeAlias = "Callable[[], Awaitable[Report]]"


@define(eq=False)
class Alone:
    """Lets one thing that changes apps at a time into an engine: events of two would mix."""

    busy: bool = False

    def enter(self) -> None:
        """Raises EngineBusy while another one goes on."""
        self.check()
        self.busy = True

    def check(self) -> None:
        if self.busy:
            raise EngineBusy(
                "another run of this engine goes on",
                hint="wait for its end, or open an engine for each of them",
            )

    @contextmanager
    def change(self, log: EventLog) -> Iterator[None]:
        """The block goes on alone, and ends with what a listener raises. Raises EngineBusy."""
        self.enter()
        scope = anyio.CancelScope()
        try:
            with log.ended_by_listeners(scope.cancel), scope:
                yield
        finally:
            self.busy = False


class Run:
    """Async context manager: the work goes on while the block runs, and ends before it is left.

    Leaving the block by an exception cancels the work. A run that failed leaves it with a
    `DeployError`; `report` says how each app went in any case, also of a run that was cancelled.
    It goes once. While it does, a second run of the engine is refused with `EngineBusy`.
    """

    def __init__(
        self, work: Work, *, so_far: Callable[[], Report], log: EventLog, alone: Alone
    ) -> None:
        self._work = work
        self._so_far = so_far
        self._log = log
        self._alone = alone
        self._report: Report | None = None
        self._over = False
        self._stack = AsyncExitStack()
        self._scope = anyio.CancelScope()
        self._kept: deque[Event] = deque()
        self._news = anyio.Event()
        self._start = 0.0

    @property
    def events(self) -> AsyncIterator[Event]:
        """The events of the run in order, each once; `run_finished` is the last.

        After the end, those come that nobody took before.
        """
        return self._each()

    @property
    def report(self) -> Report:
        """How the run ended. Raises DeployError before it has, and for one that could not begin."""
        if self._report is not None:
            return self._report
        if self._over:
            raise DeployError(
                "the run failed before there was anything to report",
                code="run_without_report",
                hint="what was raised when its block was left says why",
            )
        raise DeployError("the run has not ended yet", code="run_not_ended")

    def cancel(self) -> None:
        """Ends the run: leases are released and the state is saved before it is over.

        One that has not begun ends as it begins; of one that is over, nothing changes.
        """
        self._scope.cancel()

    async def __aenter__(self) -> Self:
        if self._over:
            raise DeployError("the run is over", code="run_over", hint="begin another one")
        self._alone.enter()
        self._start = anyio.current_time()
        self._log.listen(self._take)
        self._stack.enter_context(self._log.ended_by_listeners(self._scope.cancel))
        self._stack.callback(self._end, "interrupted")
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
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
            except BaseExceptionGroup as group:
                if isinstance(error, BaseExceptionGroup) and leaves(group) == leaves(error):
                    return  # the block's own group comes out as it is
                raise
        if error is None and self._report is not None:
            raise_failures(self._report)

    async def _do(self) -> None:
        with self._scope:
            try:
                self._report = await self._work()
            except Exception:
                self._end("failed")
                raise
        self._end("interrupted")

    def _end(self, otherwise: str) -> None:
        """Tells the end, once: that of the report, or what there is instead of one."""
        if self._over:
            return
        self._over = True
        if self._report is None and otherwise == "interrupted":
            self._report = self._so_far()
        outcome = otherwise if self._report is None else self._report.outcome
        seconds = anyio.current_time() - self._start
        self._log.emit(RunFinished(outcome=outcome, seconds=seconds))
        self._log.unlisten(self._take)
        self._news.set()
        self._alone.busy = False

    def _take(self, event: Event) -> None:
        self._kept.append(event)
        self._news.set()

    async def _each(self) -> AsyncIterator[Event]:
        while True:
            while self._kept:
                yield self._kept.popleft()
            if self._over:
                return
            if self._news.is_set():  # else somebody waits for it already
                self._news = anyio.Event()
            await self._news.wait()


def raise_failures(report: Report) -> None:
    """Raises what a report is about, as one error; nothing when all went well."""
    if report.exit_code == 0:
        return
    kind = HealthCheckFailed if report.exit_code == 3 else DeployError
    raise kind(report.to_text(), failures=report.failures, report=report)
