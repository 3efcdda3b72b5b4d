"""A client keeps sending requests through a small model of the proxy while machines are updated."""

from __future__ import annotations

import random

import anyio
import pytest
from attrs import define, evolve, field

from fly_emulator import Emulator, lifecycle
from fly_emulator.records import MachineRecord
from score_flyio.deploy.options import DeployOptions
from score_flyio.flytoml.names import StrategyName
from tests.bench.apps import web
from tests.bench.makespan import machines_of
from tests.bench.world import SETTINGS, Bench, Measured, serves, simulate

SEEDS = range(50)
LEARNS_WITHIN = 2.0
"""Seconds after which the proxy knows which machines there are; the platform promises nothing."""


@define
class Proxy:
    """Routes to machines it knows; a machine that refuses is left out and another one is tried."""

    emulator: Emulator
    app: str
    rng: random.Random
    known: list[str] = field(factory=list)
    learned_at: float = -1e9
    sent: int = 0
    failed: int = 0

    def request(self) -> None:
        """One request now."""
        now = self.emulator.clock.time()
        lifecycle.advance(self.emulator.world, now)
        if now - self.learned_at >= LEARNS_WITHIN:
            self.known = [m.id for m in self._machines() if serves(m, now)]
            self.learned_at = now
        self.sent += 1
        candidates = self.rng.sample(self.known, len(self.known))
        machines = {machine.id: machine for machine in self._machines()}
        if not any(serves(machines[m], now) for m in candidates if m in machines):
            self.failed += 1

    def _machines(self) -> list[MachineRecord]:
        machines = self.emulator.world.machines.values()
        return [machine for machine in machines if machine.app == self.app]


async def keep_asking(proxy: Proxy) -> None:
    while True:
        proxy.request()
        await anyio.sleep(0.02)


def update(seed: int, strategy: StrategyName) -> Proxy:
    rng = random.Random(seed)
    settings = evolve(
        SETTINGS,
        seed=seed,
        latency=(0.01, rng.uniform(0.02, 0.4)),
        boot=rng.uniform(0.2, 5.0),
        healthy_after=rng.uniform(0.2, 8.0),
    )
    proxies: list[Proxy] = []

    async def body(bench: Bench) -> Measured:
        await machines_of(bench, "web", 10)
        proxy = Proxy(bench.emulator, "web", rng)
        proxies.append(proxy)
        options = DeployOptions(strategy=strategy, smoke_checks=False)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep_asking, proxy)
            measured = await bench.deploy([web("web", version=2)], options)
            tasks.cancel_scope.cancel()
        return measured

    assert simulate(body, settings).outcome == "done"
    return proxies[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_request_fails_during_a_rolling_update(seed: int) -> None:
    proxy = update(seed, "rolling")
    assert proxy.sent > 100
    assert proxy.failed == 0


@pytest.mark.parametrize("seed", range(5))
def test_no_request_fails_during_bluegreen(seed: int) -> None:
    assert update(seed, "bluegreen").failed == 0


def test_the_model_notices_when_nothing_serves() -> None:
    assert update(1, "immediate").failed > 0
