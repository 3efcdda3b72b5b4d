"""One simulated deploy after another: engine and emulator on trio's mock clock."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
import trio
from attrs import define, field, frozen
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, lifecycle
from fly_emulator.records import MachineRecord
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import Input
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.events import Event, MachineStateChanged, RequestFinished
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore

LATENCY, BOOT, HEALTHY = 0.05, 0.5, 1.0
"""Seconds: the settings under which flyctl was recorded."""

QUICK = DeployOptions(smoke_checks=False)
SETTINGS = EmulatorSettings(latency=LATENCY, boot=BOOT, healthy_after=HEALTHY)


@frozen(kw_only=True)
class Measured:
    """One deploy: simulated seconds, calls, refusals for too many calls."""

    seconds: float
    calls: int
    refused: int
    outcome: str
    least_serving: int = 0
    """The fewest machines that served at any moment of the deploy, over all its apps."""


@define
class Counter:
    """Counts requests as they end."""

    calls: int = 0
    refused: int = 0
    states: list[tuple[float, str, str]] = field(factory=list)

    def hear(self, event: Event) -> None:
        if isinstance(event, RequestFinished):
            self.calls += 1
            self.refused += event.status == 429
        elif isinstance(event, MachineStateChanged):
            self.states.append((event.at, event.scope.machine or "", event.state))


@define(kw_only=True)
class Bench:
    """A platform and an engine for it."""

    engine: Engine
    emulator: Emulator
    counter: Counter

    async def deploy(self, apps: Sequence[Input], options: DeployOptions | None = None) -> Measured:
        self.counter.calls = self.counter.refused = 0
        start = anyio.current_time()
        least = [self.serving(apps)]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, apps, least)
            async with self.engine.deploy(apps, options or QUICK) as run:
                pass
            tasks.cancel_scope.cancel()
        return Measured(
            least_serving=min(least),
            seconds=anyio.current_time() - start,
            calls=self.counter.calls,
            refused=self.counter.refused,
            outcome=run.report.outcome,
        )

    def serving(self, apps: Sequence[Input]) -> int:
        """How many machines of these apps serve now."""
        now, names = (
            self.emulator.clock.time(),
            {item.app_in(ProjectState.new("")) for item in apps},
        )
        lifecycle.advance(self.emulator.world, now)
        machines = self.emulator.world.machines.values()
        return sum(serves(m, now) for m in machines if m.app in names)

    async def _watch(self, apps: Sequence[Input], least: list[int]) -> None:
        while True:
            least[0] = min(least[0], self.serving(apps))
            await anyio.sleep(0.05)

    async def rest(self, seconds: float = 30.0) -> None:
        """Lets the buckets of the rate limits fill up again."""
        await anyio.sleep(seconds)


def serves(machine: MachineRecord, now: float) -> bool:
    """Whether a request that reaches the machine is answered, and the proxy would send one."""
    healthy = machine.healthy_at is not None and machine.healthy_at <= now
    return machine.state == "started" and healthy and not machine.cordoned


def simulate(
    body: Callable[[Bench], Awaitable[Measured]], settings: EmulatorSettings = SETTINGS
) -> Measured:
    """Runs `await body(bench)` on a mock clock and gives back what it returns.

    Trio mixes up the order of tasks on purpose; here it is the same in every run.
    """

    async def main() -> Measured:
        clock = EventLoopClock()
        counter = Counter()
        async with Emulator(settings, clock=clock) as emulator:
            project = Project(Path(), InMemoryStore(ProjectState.new("")))
            async with Engine(
                project,
                target=EmulatorTarget(emulator=emulator),
                clock=clock,
                rng=random.Random(1),
                listener=counter.hear,
                write_files=False,
            ) as engine:
                return await body(Bench(engine=engine, emulator=emulator, counter=counter))

    internals = vars(trio._core._run)
    internals["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    internals["_r"].seed(1)
    clock = MockClock(autojump_threshold=0)
    return anyio.run(main, backend="trio", backend_options={"clock": clock})
