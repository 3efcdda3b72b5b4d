"""An engine process that can die at any moment, like one hit by `kill -9`.

From the moment of death on, nothing of it reaches the platform, the state store or a provisioner:
whatever it still tries ends in `Killed`. Requests that were under way when it died may yet be
carried out, as on a real network.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import trio
from attrs import define, field

from fly_emulator import Emulator
from score_flyio.errors import StateLocked
from score_flyio.state.deployments_form import dump_deployments, load_deployments
from score_flyio.state.model import ProjectState
from score_flyio.state.yaml_form import dump_state, load_state
from tests.simulation.scenario import Kill


class Killed(BaseException):
    """Raised in what is left of a dead process."""


@define(eq=False)
class Life:
    """One engine process; `deadlines` says after how many moments of a kind it dies."""

    deadlines: dict[str, int] = field(factory=dict)
    orphans_go_on: bool = False
    """Whether requests that are under way at the moment of death are still carried out."""
    dead: bool = False
    cause: str = ""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    wakes: set[trio.Event] = field(factory=set)

    def moment(self, kind: str) -> None:
        """Something happens at which the process may die, or must already be dead."""
        if not self.dead and kind in self.deadlines:
            self.deadlines[kind] -= 1
            if self.deadlines[kind] <= 0:
                self.die(kind)
        if self.dead:
            raise Killed

    def die(self, cause: str) -> None:
        if self.dead:
            return
        self.dead, self.cause = True, cause
        self.scope.cancel()
        for wake in self.wakes:
            wake.set()


class Steps(trio.abc.Instrument):
    """Kills a process at a scheduling step of the event loop: at any await whatever."""

    def __init__(self, life: Life, after: int) -> None:
        self._life = life
        self._left = after

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        del task
        self._left -= 1
        if self._left == 0:
            self._life.die("step")


def life_of(kill: Kill | None) -> Life:
    """A life that ends as planned."""
    life = Life(orphans_go_on=kill.orphans_go_on if kill else False)
    if kill and kill.kind not in {"step", "time"}:
        life.deadlines[kill.kind] = int(kill.count)
    return life


async def live(
    life: Life, kill: Kill | None, command: Callable[[], Awaitable[None]]
) -> BaseException | None:
    """Carries a command out until the process dies; gives what it then ended with."""
    instrument = Steps(life, int(kill.count)) if kill and kill.kind == "step" else None
    if instrument:
        trio.lowlevel.add_instrument(instrument)
    ended: BaseException | None = None
    try:
        async with anyio.create_task_group() as timer:
            if kill and kill.kind == "time":
                timer.start_soon(die_after, life, kill.count)
            try:
                with life.scope:
                    await command()
            except BaseException as error:  # whatever it is, a dead process raises nothing
                if not life.dead:
                    raise
                ended = error
            timer.cancel_scope.cancel()
    finally:
        if instrument:
            trio.lowlevel.remove_instrument(instrument)
    return ended


async def die_after(life: Life, seconds: float) -> None:
    await anyio.sleep(seconds)
    life.die("time")


class MortalTransport(httpx.AsyncBaseTransport):
    """Carries requests to the emulator for as long as the process lives."""

    def __init__(self, emulator: Emulator, life: Life, tasks: trio.Nursery) -> None:
        self._inner = emulator.transport()
        self._life = life
        self._tasks = tasks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._life.moment("request")
        wake, scope = trio.Event(), trio.CancelScope()
        outcome: list[httpx.Response | httpx.TransportError] = []

        async def carry() -> None:
            with scope:
                try:
                    outcome.append(await self._inner.handle_async_request(request))
                except httpx.TransportError as error:
                    outcome.append(error)
            wake.set()

        self._life.wakes.add(wake)
        self._tasks.start_soon(carry)
        try:
            await wake.wait()
        finally:
            self._life.wakes.discard(wake)
            if not (self._life.dead and self._life.orphans_go_on):
                scope.cancel()
        self._life.moment("answer")
        answer = outcome[0]
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


@define(eq=False)
class Disk:
    """Where the project state survives processes."""

    texts: tuple[str, str | None] | None = None
    holder: Life | None = None
    on_commit: list[Callable[[str], None]] = field(factory=list)
    _parsed: tuple[tuple[str, str | None], bytes] | None = None
    """The texts that were read last, and what stands in them, pickled: that is copied quickest."""

    @classmethod
    def of(cls, state: ProjectState) -> Disk:
        return cls((dump_state(state), dump_deployments(state)))

    def read(self) -> ProjectState | None:
        if self.texts is None:
            return None
        if self._parsed is None or self._parsed[0] != self.texts:
            state = load_state(self.texts[0], "state.yaml")
            if self.texts[1] is not None:
                load_deployments(state, self.texts[1], "deployments.yaml")
            self._parsed = (self.texts, pickle.dumps(state))
        found: ProjectState = pickle.loads(self._parsed[1])
        return found

    def commit(self, texts: tuple[str, str | None]) -> None:
        self.texts = texts
        for listener in self.on_commit:
            listener("\n".join(text for text in texts if text))


@define(eq=False)
class MortalStore:
    """The state store of one process, on a disk that outlives it; writing takes time."""

    disk: Disk
    life: Life
    rng: random.Random
    slowest: float = 0.2

    async def load(self) -> ProjectState | None:
        self.life.moment("load")
        await self._pause()
        return self.disk.read()

    async def save(self, state: ProjectState) -> None:
        self.life.moment("save")
        texts = (dump_state(state), dump_deployments(state))
        await self._pause()
        self.disk.commit(texts)
        self.life.moment("saved")

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        holder = self.disk.holder
        if holder is not None and not holder.dead:
            raise StateLocked(f"the state is locked by another run, not {owner}")
        self.disk.holder = self.life
        try:
            yield
        finally:
            if self.disk.holder is self.life and not self.life.dead:
                self.disk.holder = None

    async def _pause(self) -> None:
        await anyio.sleep(self.rng.uniform(0, self.slowest))
        if self.life.dead:
            raise Killed


def as_any(value: object) -> Any:
    """For doubles that stand in structurally."""
    return value
