"""How long deploys take in simulated seconds, beside what the settings allow at best."""

from __future__ import annotations

import math

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.options import DeployOptions
from tests.bench.world import BOOT, HEALTHY, LATENCY, SETTINGS, Bench, Measured, simulate, web

READY = BOOT + HEALTHY
READY_AGAIN = SETTINGS.stop + READY
"""An updated machine stops first."""
QUICK = DeployOptions(smoke_checks=False)


@frozen(kw_only=True)
class Row:
    """One line of the table."""

    name: str
    measured: Measured
    bound: float
    flyctl: tuple[float, int] | None = None
    """Seconds and calls recorded for flyctl under the same settings, without smoke checks."""

    @property
    def ratio(self) -> float:
        return self.measured.seconds / self.bound


def first_deploys(count: int) -> Row:
    """`count` workloads of two machines, none of which exists yet.

    The bound: read, create the app (for all but the first three, one a second: the cautious reading
    of the rate limit), create two machines in turn, boot, become healthy, one look.
    """

    async def body(bench: Bench) -> Measured:
        return await bench.deploy([web(f"w{n}") for n in range(count)], QUICK)

    apps = max(0, count - 3)
    bound = LATENCY + apps + LATENCY + 2 * LATENCY + READY
    return Row(name=f"first deploy, {count} workloads", measured=simulate(body), bound=bound)


def redeploys(count: int) -> Row:
    """`count` workloads that exist get two machines each, created anew."""

    async def body(bench: Bench) -> Measured:
        for n in range(count):
            await bench.engine.client.api.apps_create(
                models.CreateAppRequest(name=f"w{n}", org_slug="personal")
            )
        await bench.rest()
        return await bench.deploy([web(f"w{n}") for n in range(count)], QUICK)

    bound = LATENCY + 2 * LATENCY + READY
    return Row(name=f"apps exist, {count} workloads", measured=simulate(body), bound=bound)


async def machines_of(bench: Bench, name: str, count: int) -> None:
    """An app of so many equal machines, made by the platform's own calls."""
    await bench.deploy([web(name)], QUICK)
    first = (await bench.engine.client.api.machines_list(name))[0]
    config = first.config
    for _ in range(count - 2):
        await bench.engine.client.api.machines_create(
            name, models.CreateMachineRequest(config=config, region=first.region)
        )
    await bench.rest()


def rolling(count: int, flyctl: tuple[float, int] | None = None) -> Row:
    """An update of `count` machines, a third of them at a time."""

    async def body(bench: Bench) -> Measured:
        await machines_of(bench, "web", count)
        return await bench.deploy([web("web", version=2)], QUICK)

    slots = max(1, math.ceil(count * 0.33))
    rounds = 1 + math.ceil((count - 1) / slots)
    bound = 2 * LATENCY + rounds * (LATENCY + READY_AGAIN) + LATENCY
    return Row(
        name=f"rolling update, {count} machines",
        measured=simulate(body),
        bound=bound,
        flyctl=flyctl,
    )


def first_two(flyctl: tuple[float, int]) -> Row:
    return evolve(first_deploys(1), name="first deploy, 2 machines", flyctl=flyctl)


def unchanged() -> Row:
    """A deploy that has nothing to do."""

    async def body(bench: Bench) -> Measured:
        await bench.deploy([web("web")], QUICK)
        await bench.rest()
        return await bench.deploy([web("web")], QUICK)

    return Row(name="nothing changed", measured=simulate(body), bound=LATENCY)


def makespans() -> list[Row]:
    """All rows; figures of flyctl as recorded at these settings, without smoke checks."""
    return [
        first_two((4.3, 25)),
        rolling(2, (4.4, 23)),
        rolling(10, (8.0, 81)),
        rolling(100),
        unchanged(),
        *(first_deploys(count) for count in (1, 5, 20, 100)),
        *(redeploys(count) for count in (1, 5, 20, 100)),
    ]


__all__ = ["SETTINGS", "Row", "makespans"]
