"""How long deploys take in simulated seconds, beside what the settings allow at best."""

from __future__ import annotations

import math
from pathlib import Path

from attrs import evolve, frozen

from fly_machines import models
from score_flyio.deploy.options import DeployOptions
from tests.bench.apps import app, web
from tests.bench.world import (
    BOOT,
    HEALTHY,
    LATENCY,
    QUICK,
    SETTINGS,
    Bench,
    Measured,
    simulate,
)

MANY = 100
"""Workloads of a run that counts as a large one."""
READY = BOOT + HEALTHY
READY_AGAIN = SETTINGS.stop + READY
"""An updated machine stops first."""
MARKET = Path("samples/market").absolute()
MARKET_APPS = 16
"""Its workloads, and the servers for what they ask for."""
GROUPS = """
app = "groups"
primary_region = "iad"
[build]
image = "nginx:1"
[processes]
web = ""
mailer = "mail"
worker = "work"
[http_service]
internal_port = 8080
processes = ["web"]
[[http_service.checks]]
interval = "5s"
timeout = "2s"
path = "/"
"""


@frozen
class Flyctl:
    """What was recorded for flyctl under the same settings."""

    seconds: float
    """Infinite where it failed."""
    calls: int | None = None
    note: str = ""

    def __str__(self) -> str:
        calls = f", {self.calls} calls" if self.calls else ""
        return self.note or f"{self.seconds:g} s{calls}"


@frozen(kw_only=True)
class Row:
    """One line of the table."""

    name: str
    measured: Measured
    bound: float
    flyctl: Flyctl | None = None
    most: float = 1.1
    """What the ratio may be."""
    most_calls: int | None = None

    @property
    def ratio(self) -> float:
        return self.measured.seconds / self.bound

    @property
    def beaten(self) -> bool:
        """Whether it took less time and fewer calls than flyctl, where that was recorded."""
        if self.flyctl is None:
            return True
        calls = self.flyctl.calls is None or self.measured.calls < self.flyctl.calls
        return self.measured.seconds < self.flyctl.seconds and calls


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


def market() -> Row:
    """The sample of twelve workloads with databases, caches, a queue and a route, from nothing.

    The bound: sixteen apps, of which four are servers (see `first_deploys`); the last one has to
    read, to make two machines in turn, to boot and to become healthy.
    """

    async def body(bench: Bench) -> Measured:
        files = sorted(MARKET.glob("*.yaml"))
        return await bench.deploy([bench.engine.project.load(str(f)) for f in files], QUICK)

    bound = LATENCY + (MARKET_APPS - 3) + LATENCY + 2 * LATENCY + READY
    name = "sample market, 12 workloads, 4 servers"
    return Row(name=name, measured=simulate(body), bound=bound, most=1.2)


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
    # nine calls for each app that is one of many; for safety, the release of a lease for each
    # machine, and the mark that the launch came to its end
    calls = (9 + 2 + 1) * count if count >= MANY else None
    name = f"apps exist, {count} workloads"
    return Row(name=name, measured=simulate(body), bound=bound, most_calls=calls)


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


def rolling(count: int, flyctl: Flyctl | None = None, options: DeployOptions = QUICK) -> Row:
    """An update of `count` machines, a third of them at a time."""

    async def body(bench: Bench) -> Measured:
        await machines_of(bench, "web", count)
        return await bench.deploy([web("web", version=2)], options)

    slots = max(1, math.ceil(count * 0.33))
    rounds = 1 + math.ceil((count - 1) / slots)
    bound = 2 * LATENCY + rounds * (LATENCY + READY_AGAIN) + LATENCY
    return Row(
        name=f"rolling update, {count} machines",
        measured=simulate(body),
        bound=bound,
        flyctl=flyctl,
    )


def canary(count: int, flyctl: Flyctl, options: DeployOptions = QUICK) -> Row:
    """One extra machine first, then as rolling."""
    row = rolling(count, flyctl, evolve(options, strategy="canary"))
    tried = LATENCY + READY + LATENCY
    return evolve(row, name=f"canary, {count} machines", bound=row.bound + tried - LATENCY)


def bluegreen(count: int, *, pause: float = 10.0, flyctl: Flyctl | None = None) -> Row:
    """A second set of machines; the bound has the two pauses in which the proxy learns.

    Read, hold, create (three at once in the limit, then one a second), boot, one look, then five
    calls on each machine: into routing, mark, out of routing, stop, destroy; release.
    """
    options = evolve(QUICK, strategy="bluegreen", bluegreen_pause=pause)
    row = rolling(count, flyctl, options)
    creates = max(count * LATENCY, LATENCY + count - 3)
    bound = 2 * LATENCY + creates + READY + LATENCY + 5 * LATENCY + 2 * pause
    shown = "" if pause else ", no pauses"
    return evolve(row, name=f"bluegreen, {count} machines{shown}", bound=bound)


def groups(flyctl: Flyctl, options: DeployOptions = QUICK) -> Row:
    """Three process groups: a service of two, and two workers of one and a standby each."""

    async def body(bench: Bench) -> Measured:
        return await bench.deploy([app("groups", GROUPS)], options)

    bound = 2 * LATENCY + max(4 * LATENCY + READY, LATENCY + 3)
    return Row(
        name="first deploy, 3 groups, 6 machines",
        measured=simulate(body),
        bound=bound,
        flyctl=flyctl,
    )


def release() -> Row:
    """A release command that takes its time, then a rolling update of two."""

    async def body(bench: Bench) -> Measured:
        await machines_of(bench, "web", 2)
        changed = web("web", version=2, extra='[deploy]\nrelease_command = "migrate"')
        return await bench.deploy([changed], QUICK)

    command = LATENCY + BOOT + SETTINGS.one_shot + 2 * LATENCY
    bound = LATENCY + command + LATENCY + 2 * (LATENCY + READY_AGAIN) + LATENCY
    return Row(
        name="release command, 2 machines",
        measured=simulate(body),
        bound=bound,
        flyctl=Flyctl(5.8, 37),
    )


def smoke(count: int, *, first: bool, flyctl: Flyctl) -> Row:
    """With smoke checks of 10 s: all windows but that of the first updated machine overlap."""
    watched = evolve(QUICK, smoke_checks=True)
    if first:

        async def body(bench: Bench) -> Measured:
            return await bench.deploy([web("web")], watched)

        bound = LATENCY + 3 * LATENCY + 10.0 + LATENCY
        row = Row(name="", measured=simulate(body), bound=bound)
    else:
        row = rolling(count, options=watched)
        row = evolve(row, bound=row.bound + 2 * (10.0 - READY_AGAIN))
    kind = "first deploy" if first else "rolling update"
    return evolve(row, name=f"{kind}, {count} machines, smoke checks", flyctl=flyctl)


def smoke_groups(flyctl: Flyctl) -> Row:
    """The last machine that runs is created in the second second; then its window."""
    row = groups(flyctl, evolve(QUICK, smoke_checks=True))
    name = "first deploy, 3 groups, smoke checks"
    return evolve(row, name=name, bound=2 * LATENCY + LATENCY + 1 + 10.0)


def smoke_canary(count: int, flyctl: Flyctl) -> Row:
    """The canary's window, the first machine's, and one for all others."""
    row = canary(count, flyctl, evolve(QUICK, smoke_checks=True))
    waits = 3 * 10.0 - READY - 2 * READY_AGAIN
    return evolve(row, name=f"canary, {count} machines, smoke checks", bound=row.bound + waits)


def first_two(flyctl: Flyctl) -> Row:
    return evolve(first_deploys(1), name="first deploy, 2 machines", flyctl=flyctl)


def unchanged() -> Row:
    """A deploy that has nothing to do: once that is known, it asks for staged secrets."""

    async def body(bench: Bench) -> Measured:
        await bench.deploy([web("web")], QUICK)
        await bench.rest()
        return await bench.deploy([web("web")], QUICK)

    return Row(name="nothing changed", measured=simulate(body), bound=2 * LATENCY)


def makespans() -> list[Row]:
    """All rows; figures of flyctl as recorded at these settings, without smoke checks."""
    return [
        first_two(Flyctl(4.3, 25)),
        rolling(2, Flyctl(4.4, 23)),
        rolling(10, Flyctl(8.0, 81)),
        rolling(100),
        rolling(1000),
        groups(Flyctl(5.7, 35)),
        release(),
        canary(10, Flyctl(9.8, 87)),
        bluegreen(10, flyctl=Flyctl(math.inf, note="fails; 23.3 s, 161 calls with limits off")),
        bluegreen(10, pause=0.0),
        bluegreen(100),
        smoke(2, first=True, flyctl=Flyctl(21.3)),
        smoke(2, first=False, flyctl=Flyctl(22.3)),
        smoke(10, first=False, flyctl=Flyctl(43.8)),
        smoke_groups(Flyctl(41.8)),
        smoke_canary(10, Flyctl(54.1)),
        unchanged(),
        *(first_deploys(count) for count in (1, 5, 20, 100)),
        market(),
        *(redeploys(count) for count in (1, 5, 20, 100)),
    ]


__all__ = ["SETTINGS", "Row", "makespans"]
