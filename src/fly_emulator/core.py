"""The emulator: one world behind a router, with delays, limits, faults and a journal."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Final, Protocol, Self

import anyio
import anyio.lowlevel
import attrs
from attrs import define

from fly_emulator import journal as journals
from fly_emulator import lifecycle
from fly_emulator.calls import Call, Interface
from fly_emulator.control import Control, ControlApi
from fly_emulator.distribution import DistributionApi
from fly_emulator.faults import FaultRule, Faults
from fly_emulator.graphql import GraphQL
from fly_emulator.guard import Guard
from fly_emulator.handlers import HANDLERS
from fly_emulator.http import LOOPBACK
from fly_emulator.limits import RateLimiter, identifier
from fly_emulator.macaroons import Discharges, principal_of
from fly_emulator.process import ProcessModel, Programs, marked_process
from fly_emulator.records import Json
from fly_emulator.router import MACHINES, UNKNOWN, Match
from fly_emulator.runtime.commands import Commands
from fly_emulator.runtime.runtime import CommandsWithin, Runtime
from fly_emulator.server import listening, serve_connections
from fly_emulator.settings import EmulatorSettings, Principal
from fly_emulator.transport import EmulatorTransport
from fly_emulator.web import Web
from fly_emulator.wire import (
    NONCE_HEADER,
    Answered,
    ApiRequest,
    ApiResponse,
    ConnectionBroken,
    Execution,
    Outcome,
    Refusal,
    Waiting,
    answered,
    garbled,
)
from fly_emulator.world import World
from fly_emulator.world_file import WorldFile
from score_flyio.base.clock import Clock, EventLoopClock

LOOK_AT_FILE: Final = 0.5
"""Seconds between looks at what other processes did, while an answer is waited for."""
_STEP = 1e-6
"""Added to waits, so that a wake-up is never a rounding error too early."""


class ExecRunner(Protocol):
    """Runs commands that are executed in machines."""

    async def run(self, execution: Execution) -> Json:
        """The document of the answer: `exit_code`, `stdout`, `stderr`."""
        ...


STANDARD_INTERFACES: Final = (Web(), GraphQL(), Discharges(), DistributionApi())
"""What flyctl uses beside the Machines API, and the registry."""
ANONYMOUS: Final = Principal(user="", organizations=frozenset())


@define
class _Progress:
    request: ApiRequest
    interface: Interface | None
    """Whose it is; None: the Machines API's."""
    match: Match
    arrived: float
    seen: int
    executed: bool = False
    response: ApiResponse | None = None


class Emulator:
    """A Fly platform in this process.

    Use it as `async with Emulator(settings) as fly`, then `fly.transport()` for an HTTP client in
    the same process, or `async with fly.serve()` for one on a port (`fly.url`).

    With `file`, the world is read from that file and kept in it. With `commands`, machines of the
    images that they name are processes of this computer while it is served; `runtime.urls` has
    where each app answers then, from `first_app_port` on.
    """

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        clock: Clock | None = None,
        faults: Faults | None = None,
        journal: Path | None = None,
        keep_journal: int | None = None,
        file: Path | None = None,
        model: ProcessModel = marked_process,
        exec_runner: ExecRunner | None = None,
        interfaces: Sequence[Interface] = STANDARD_INTERFACES,
        commands: Commands | None = None,
        first_app_port: int = 0,
    ) -> None:
        self.settings = settings or EmulatorSettings()
        self.clock = clock or EventLoopClock(start=None)
        self.faults = faults or Faults()
        self.journal = journals.Journal(journal, keep=keep_journal)
        self.exec_runner: ExecRunner = exec_runner or Programs()
        self.interfaces = tuple(interfaces)
        self.url: str | None = None
        self.limiter = RateLimiter()
        self.runtime: Runtime | None = None
        """Runs the machines while it is served; None: they are played."""
        if commands is not None:
            self.runtime = Runtime(self, commands, first_port=first_app_port)
            model = self.runtime.model(model)
        self._file = WorldFile(file) if file is not None else None
        loaded = self._file.load(self.settings, model) if self._file is not None else None
        self.world = loaded or World(settings=self.settings, model=model)
        if self.runtime is not None and commands is not None and commands.of_machines:
            self.exec_runner = CommandsWithin(self.world, runtime=self.runtime)
        self._latency = random.Random(f"latency:{self.settings.seed}")  # noqa: S311 - a simulation
        self._watchers: dict[str, anyio.Event] = {}
        self._requests = 0
        self.control = Control(self)
        self._control_api = ControlApi(self.control)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Keep the world as it is by now, and close the journal."""
        kept = nullcontext() if self._file is None else self._file.changing(self.world, last=True)
        with kept:
            self.advance()
        self.journal.close()

    def now(self) -> float:
        """The time of this platform: the clock's, and what `control.advance` added."""
        return self.clock.time() + self.world.ahead

    def advance(self) -> float:
        """Bring the world to the present; gives the time."""
        now = self.now()
        lifecycle.advance(self.world, now)
        self._wake()
        return now

    @contextmanager
    def changing(self) -> Iterator[World]:
        """The world, for a change that no request makes: who waits for an answer looks anew."""
        with self._shared(changes=True):
            self.advance()
            yield self.world
            self.world.changed.update(self._watchers)
            self.advance()

    def transport(self) -> EmulatorTransport:
        """A transport for an `httpx.AsyncClient`, which carries requests to this emulator."""
        return EmulatorTransport(self)

    @asynccontextmanager
    async def serve(
        self, port: int = 0, host: str = LOOPBACK, *, names: Iterable[str] = ()
    ) -> AsyncIterator[str]:
        """Answer on a port while the block runs; gives the URL. Port 0: any free port.

        `names` are host names that it may be called by, beside those of `Guard`.
        """
        guard = Guard(bound=host, names=frozenset(names))
        failure: BaseException | None = None
        async with listening(host, port) as (listener, url), anyio.create_task_group() as tasks:
            self.url = url
            tasks.start_soon(self.control.watch)
            if self.runtime is not None:
                tasks.start_soon(self.runtime.run)
            tasks.start_soon(serve_connections, guard.before(self.handle), listener)
            try:
                yield url
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised again below
                failure = error  # the task group would wrap it in an ExceptionGroup
            finally:
                self.url = None
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    # --- one request

    async def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request. Raises ConnectionBroken: a fault breaks the connection instead."""
        control = self._control_api.answer(request)
        if control is not None:
            await anyio.lowlevel.checkpoint()
            return control
        interface = next((i for i in self.interfaces if request.path.startswith(i.prefix)), None)
        match = (
            MACHINES.match(request.method, request.path)
            if interface is None
            else Match(interface.name(request), {})
        )
        progress = _Progress(request, interface, match, self.now(), self.world.sequence)
        self._requests += 1
        try:
            response = progress.response = await self._answer(progress)
        finally:
            self._note(progress)
        number = f"{self._requests:08d}-{request.method.lower()}"
        headers = {**response.headers, "fly-request-id": number}
        return attrs.evolve(response, headers=headers)

    async def _answer(self, progress: _Progress) -> ApiResponse:
        faults = self.faults.for_request(progress.match.operation, progress.request.method)
        latency = self.settings.latency
        if isinstance(latency, tuple):
            latency = self._latency.uniform(*latency)
        extra = sum(fault.seconds[0] for fault in faults)
        failure = next((fault for fault in faults if fault.kind != "latency"), None)
        if failure is not None and failure.kind == "refuse":
            raise ConnectionBroken("refuse")
        await _pause(latency / 2 + extra)
        if failure is not None and not failure.after:
            return self._failed(failure)
        response = await self._execute(progress)
        if failure is not None and failure.kind in {"html", "cut", "null"}:
            response = garbled(response, failure.kind)
        elif failure is not None:
            return self._failed(failure)
        await _pause(latency / 2)
        return response

    @staticmethod
    def _failed(fault: FaultRule) -> ApiResponse:
        if fault.kind == "status":
            return Refusal(fault.status, f"injected fault {fault.status}").response()
        raise ConnectionBroken("hang" if fault.kind == "hang" else "reset")

    async def _execute(self, progress: _Progress) -> ApiResponse:
        try:
            with self._shared(changes=progress.request.method != "GET"):
                outcome = self._perform(progress, self.advance())
            self._wake()
            if isinstance(outcome, Waiting):
                return answered(await self._wait(outcome))
            if isinstance(outcome, Execution):
                return await self._run(outcome)
            return answered(outcome)
        except Refusal as refusal:
            return refusal.response()
        finally:
            self._wake()

    def _perform(self, progress: _Progress, now: float) -> Outcome:
        request, interface = progress.request, progress.interface
        operation, path = progress.match.operation, progress.match.path
        if interface is None and operation == UNKNOWN:
            raise Refusal(404, f"no such path: {request.method} {request.path}")
        public = interface is not None and interface.is_public(request)
        principal = ANONYMOUS if public else principal_of(self.world, request.token, now)
        if interface is None:
            self._limit(operation, path, request.token, now)
        progress.executed = True
        call = Call(self.world, request, operation, path, principal, now, progress.seen)
        return HANDLERS[operation](call) if interface is None else interface.handle(call)

    def _limit(self, operation: str, path: dict[str, str], token: str, now: float) -> None:
        if not self.settings.rate_limits:
            return
        name = identifier(operation, path, token, per_token=self.settings.limits_per_token)
        wait = self.limiter.admit(operation, name, now)
        if wait:
            headers = {"retry-after": f"{wait:.3f}"} if self.settings.retry_after else {}
            raise Refusal(429, "rate limit exceeded", headers=headers)

    # --- answers that take time

    async def _wait(self, waiting: Waiting) -> Answered:
        while True:
            with self._shared(changes=False):
                now = self.advance()
            found = waiting.poll(now)
            if found is not None:
                return found
            machine = self.world.machines.get(waiting.machine or "")
            due = machine.pending.at if machine is not None and machine.pending else now + 3600
            due = min(due, self.world.next_look or due)
            if self._file is not None:
                due = min(due, now + LOOK_AT_FILE)
            changed = self._watchers.setdefault(waiting.machine or "", anyio.Event())
            with anyio.move_on_after(max(min(waiting.deadline, due) - now, 0) + _STEP):
                await changed.wait()

    def _wake(self) -> None:
        if self.runtime is not None and self.world.changed:
            self.runtime.changed(frozenset(self.world.changed))
        for name in self.world.changed:
            event = self._watchers.pop(name, None)
            if event is not None:
                event.set()
        if self._file is not None:
            self._file.touched |= self.world.changed
        self.world.changed.clear()

    async def _run(self, execution: Execution) -> ApiResponse:
        document = await self.exec_runner.run(execution)
        most = self.settings.largest_exec_output
        cut = {name: str(document.get(name) or "")[:most] for name in ("stdout", "stderr")}
        return ApiResponse(document={**document, **cut})

    # --- memory

    def _shared(self, *, changes: bool) -> AbstractContextManager[None]:
        """For work on the world that others may share; what it `changes` is kept."""
        if self._file is None:
            return nullcontext()
        if changes:
            return self._file.changing(self.world)
        self._file.refresh(self.world)
        return nullcontext()

    def _note(self, progress: _Progress) -> None:
        request, response = progress.request, progress.response
        operation, path = progress.match.operation, progress.match.path
        secrets = journals.known_secrets(self.world.apps.get(path.get("app_name", "")))
        target = request.path + "?" + "&".join(f"{k}={v}" for k, v in request.query)
        self.journal.add(
            journals.JournalEntry(
                seq=self.journal.noted + 1,
                at=progress.arrived,
                took=self.now() - progress.arrived,
                operation=operation,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                app=path.get("app_name"),
                machine=path.get("machine_id"),
                nonce=NONCE_HEADER in request.headers,
                body=journals.masked_body(operation, request.body, secrets),
                status=response.status if response is not None else 0,
                executed=progress.executed,
                error=_error_text(response),
                leaks=journals.leaked(operation, target, request.body, secrets),
            )
        )


def _error_text(response: ApiResponse | None) -> str | None:
    if response is None or response.status < 400 or not isinstance(response.document, dict):
        return None
    return response.document.get("error") or response.document.get("message")


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await anyio.sleep(seconds)
    else:
        await anyio.lowlevel.checkpoint()
