"""Two engines at once on one app, each on a computer of its own, chosen from one seed.

Neither knows of the other: each has a project state of its own. One of them may be killed. Then,
when all leases have ended, a third one deploys the version of the second.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import trio
from attrs import define, evolve, field, frozen

from fly_emulator import Emulator, EmulatorSettings
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.errors import NotFound, ScoreFlyError
from score_flyio.state.model import ProjectState
from tests.emulator.invariants import violations
from tests.simulation.commands import (
    SECRET_PREFIX,
    ChangeSecrets,
    Command,
    Deploy,
    Destroy,
    Rollback,
    Scale,
    name_of,
)
from tests.simulation.inputs import Badness, SimApp, Version
from tests.simulation.mock_clock import Traced, play
from tests.simulation.mortal import Disk, Life, MortalStore, as_any, die_after
from tests.simulation.platform import (
    WatchedWorld,
    group_of,
    healthy,
    living,
    new_platform,
)
from tests.simulation.provisioning import Account, Databases, SimProject
from tests.simulation.running import Connection, Process
from tests.simulation.scenario import speeds

STRATEGIES: Final = ("rolling", "canary", "bluegreen", "immediate")
MEMORY: Final = 2048
HONEST: Final = {"lease_held", "plan_stale", "app_missing", "unhealthy", "unknown_release"}
"""How a run may fail because of the other one, or of a bad version."""
LONGEST: Final = 24 * 3600.0


@frozen(kw_only=True)
class Runner:
    """One of the two engines."""

    command: Command
    options: DeployOptions
    begins: float = 0.0
    """Seconds after the other one."""
    dies: float | None = None
    """Seconds after its begin."""

    @property
    def name(self) -> str:
        """What it does, for counting."""
        if isinstance(self.command, Deploy):
            return str(self.options.strategy)
        if isinstance(self.command, Scale):
            return "scale count" if self.command.counts else "scale size"
        return name_of(self.command)


@frozen(kw_only=True)
class Pair:
    """What the two do, and on what."""

    seed: int
    app: SimApp
    """Its versions: what is there before, what the first and what the second one deploy."""
    count: int
    """Machines before; 0: there is no app."""
    runners: tuple[Runner, Runner]
    settings: EmulatorSettings

    @property
    def killed(self) -> bool:
        return any(runner.dies is not None for runner in self.runners)

    def of(self, kind: type[Command]) -> list[Command]:
        return [r.command for r in self.runners if isinstance(r.command, kind)]


def pair(seed: int) -> Pair:
    """The pair of a seed."""
    rng = random.Random(f"pair:{seed}")
    bad: Badness = rng.choice(("", "", "", "unhealthy"))
    versions = (Version(image=1), Version(image=2), Version(image=3, bad=bad))
    app = SimApp(name="pair", kind="toml", versions=versions)
    count = rng.choice((0, 2, 2, 3))
    first, second = (_runner(rng, app, stage, count) for stage in (1, 2))
    second = evolve(second, begins=rng.uniform(0, rng.choice((0.3, 3.0, 20.0))))
    if rng.random() < 0.2:
        dies = rng.uniform(0, rng.choice((1.0, 5.0, 15.0)))
        if rng.random() < 0.5:
            first = evolve(first, dies=dies)
        else:
            second = evolve(second, dies=dies)
    elif not count:
        first, second = _meeting(random.Random(f"meeting:{seed}"), first, second)
    return Pair(
        seed=seed,
        app=app,
        count=count,
        runners=(first, second),
        settings=EmulatorSettings(
            seed=seed,
            **speeds(rng),
            busy_after_update=rng.choice((0.0, 3.0)),
            salted_digests=rng.random() < 0.3,
            unique_machine_names=rng.random() < 0.7,
        ),
    )


def _meeting(rng: random.Random, first: Runner, second: Runner) -> tuple[Runner, Runner]:
    """Two launches; often, one of them is killed when they have met, or while one gives way."""
    second = evolve(second, begins=rng.uniform(0, 0.5))
    match rng.choice(("first", "second", "none")):
        case "first":
            first = evolve(first, dies=rng.uniform(0.5, 8.0))
        case "second":
            second = evolve(second, dies=rng.uniform(0.5, 8.0))
    return first, second


def _runner(rng: random.Random, app: SimApp, stage: int, count: int) -> Runner:
    kinds = ["deploy"] * 4 + ["size", "count", "rollback", "secrets", "destroy"]
    command: Command = Deploy(stage=stage)
    match rng.choice(kinds) if count else "deploy":
        case "size":
            command = Scale(app=app.app, size=GuestOptions(memory=f"{MEMORY}mb"))
        case "count":
            command = Scale(app=app.app, counts=(("app", rng.choice((1, 4))),))
        case "rollback":
            command = Rollback(app=app.app, to=rng.choice((None, 0)))
        case "secrets":
            command = ChangeSecrets(app=app.app, values=(("TOKEN", f"{SECRET_PREFIX}{stage}"),))
        case "destroy" if rng.random() < 0.5:
            command = Destroy(apps=(app.app,))
    return Runner(
        command=command,
        options=DeployOptions(
            allow_destructive=True,
            strategy=rng.choice(STRATEGIES),
            smoke_checks=False,
            wait_timeout=20.0,
            bluegreen_pause=rng.choice((0.5, 3.0)),
            lease_wait=rng.choice((40.0, 120.0)),
            release_record=False,
        ),
    )


@define(kw_only=True)
class Ended:
    """How one run ended."""

    runner: Runner
    life: Life
    failures: tuple[BaseException, ...] = ()
    at: float = 0.0

    @property
    def well(self) -> bool:
        return not self.life.dead and not self.failures


@define(kw_only=True)
class PairRun(Traced):
    """One platform, and what runs on it."""

    pair: Pair
    clock: EventLoopClock = field(factory=EventLoopClock)
    emulator: Emulator = field(init=False)
    least: int = 99
    found: list[str] = field(factory=list)
    """What was wrong."""

    def __attrs_post_init__(self) -> None:
        self.emulator = new_platform(self.pair.settings, self.clock)

    async def run(self) -> None:
        if self.pair.count:
            await self._prepared()
        world = self.emulator.world
        assert isinstance(world, WatchedWorld)
        first = len(self.emulator.journal.entries)
        self.least = self._serving(self.clock.time())
        world.on_enter = self._look
        ended = [Ended(runner=runner, life=Life()) for runner in self.pair.runners]
        async with anyio.create_task_group() as tasks:
            for number, one in enumerate(ended):
                tasks.start_soon(self._one, one, number)
        self.emulator.advance()
        world.on_enter = lambda _at: None
        self._check(ended, first)
        await anyio.sleep(60)
        await self._converges(ended)

    async def _prepared(self) -> None:
        runner = self.pair.runners[0]
        deploy = Ended(runner=evolve(runner, command=Deploy(stage=0), dies=None), life=Life())
        await self._one(deploy, 8)
        if self.pair.count > 2:
            more = Scale(app=self.pair.app.app, counts=(("app", self.pair.count),))
            await self._one(Ended(runner=evolve(runner, command=more, dies=None), life=Life()), 9)
        await anyio.sleep(10)
        self.emulator.advance()
        assert len(self._machines()) == self.pair.count

    async def _one(self, one: Ended, number: int) -> None:
        await anyio.sleep(one.runner.begins)
        async with trio.open_nursery() as tasks:
            if one.runner.dies is not None:
                tasks.start_soon(die_after, one.life, one.runner.dies)
            try:
                with one.life.scope:
                    await self._command(one, number, tasks)
            except BaseException:  # whatever it is, a dead process raises nothing
                if not one.life.dead:
                    raise
            tasks.cancel_scope.cancel()
        one.at = self.clock.time()
        self._say(f"--- {number} ended: {one.life.cause} {one.failures}")

    async def _command(self, one: Ended, number: int, tasks: trio.Nursery) -> None:
        rng = random.Random(f"{self.pair.seed}:{number}")
        state = ProjectState.new("sim-")
        state.salt = f"pepper{number}"
        process = Process(
            project=SimProject(
                Path("/nowhere"),
                as_any(MortalStore(Disk.of(state), one.life, rng, 0.05)),
                databases=Databases(Account(), one.life, rng, 0.0),
            ),
            target=Connection(emulator=self.emulator, life=one.life, tasks=tasks),
            listener=lambda event: self._say_event(event, str(number)),
            clock=self.clock,
            rng=rng,
            apps=(self.pair.app,),
            options=one.runner.options,
            release_of=lambda _app, _place: 1,
        )
        try:
            await process.carry_out(one.runner.command)
        except ScoreFlyError as error:
            one.failures = tuple(getattr(error, "failures", ())) or (error,)
        if process.report is not None:
            one.failures = process.report.failures

    def _machines(self) -> list[str]:
        """The image of each living machine."""
        return sorted(
            str(m.config["image"]).partition("@")[0]
            for m in living(self.emulator.world, self.pair.app.app)
        )

    def _serving(self, at: float) -> int:
        return sum(
            healthy(m, at) and not m.cordoned and not m.config["metadata"].get("fly_canary")
            for m in living(self.emulator.world, self.pair.app.app)
        )

    def _look(self, at: float) -> None:
        self.least = min(self.least, self._serving(at))

    def _check(self, ended: list[Ended], first: int) -> None:
        promised = min(_promised(self.pair, runner) for runner in self.pair.runners)
        if self.least < promised:
            self.found.append(f"only {self.least} machines served, {promised} were promised")
        entries = self.emulator.journal.entries[first:]
        rules = violations(entries, self.emulator.world)
        if not self.pair.killed:
            self.found += [text for text in rules if " over " not in text]
            now = self.clock.time()
            held = [m.id for m in living(self.emulator.world) if m.lease_at(now) is not None]
            self.found += [f"machine {name} is still leased" for name in held]
        for one in ended:
            self.found += [
                f"{one.runner.name} failed: {failure}"
                for failure in one.failures
                if getattr(failure, "code", "") not in HONEST
                and not (isinstance(failure, NotFound) and self.pair.of(Destroy))
            ]
        if all(one.well for one in ended):
            self.found += self._both_done()

    def _both_done(self) -> list[str]:
        """Both said that all was done: so it is, unless the other one was about the same."""
        pair, machines = self.pair, list(living(self.emulator.world, self.pair.app.app))
        if pair.of(Destroy):
            return []
        found = [f"a mixture is left: {self._machines()}"] if len(set(self._machines())) > 1 else []
        wanted = _counts(pair)
        if len(machines) not in wanted:
            found.append(f"there are {len(machines)} machines, not one of {sorted(wanted)}")
        if any(m.cordoned or m.config["metadata"].get("fly_canary") for m in machines):
            found.append("what a run made for itself is left")
        sized = [c for c in pair.of(Scale) if isinstance(c, Scale) and c.size]
        if sized and not pair.of(Rollback):
            sizes = {m.config["guest"]["memory_mb"] for m in machines}
            found += [f"an old size was written back: {sizes}"] if sizes - {MEMORY} else []
        return found

    async def _converges(self, ended: list[Ended]) -> None:
        """A command that is repeated later comes to its end, and leaves nothing too many."""
        good = evolve(
            self.pair,
            app=evolve(
                self.pair.app,
                versions=tuple(evolve(version, bad="") for version in self.pair.app.versions),
            ),
        )
        self.pair = good
        last = Ended(
            runner=evolve(self.pair.runners[1], command=Deploy(stage=2), begins=0.0, dies=None),
            life=Life(),
        )
        await self._one(last, 5)
        self.emulator.advance()
        self.found += [f"repeated, it failed: {failure}" for failure in last.failures]
        if last.failures:
            return
        machines, wanted = list(living(self.emulator.world, self.pair.app.app)), _counts(self.pair)
        if any(one.life.dead or one.failures for one in ended):  # before it began, or half-way
            wanted = wanted | {self.pair.count or 2}
            wanted = set(range(min(wanted), max(wanted) + 1))
        if len(machines) not in wanted:
            self.found.append(f"repeated: {len(machines)} machines, not one of {sorted(wanted)}")
        if set(self._machines()) - {"registry/x:3"}:
            self.found.append(f"repeated: {self._machines()} run")
        for machine in machines:
            metadata = machine.config["metadata"]
            if metadata.get("fly_canary") or machine.cordoned or group_of(machine.config) != "app":
                self.found.append(f"repeated: machine {machine.id} is left")


def _counts(pair: Pair) -> set[int]:
    """How many machines there may be at the end."""
    counts = {n for c in pair.of(Scale) if isinstance(c, Scale) for _, n in c.counts}
    if pair.of(Destroy):
        counts |= {2, pair.count}
    return counts or {pair.count or 2}


def _promised(pair: Pair, runner: Runner) -> int:
    """How many machines serve at any time, as far as the run has its way."""
    counts = [n for c in pair.of(Scale) if isinstance(c, Scale) for _, n in c.counts]
    size = min(pair.count, *counts) if counts else pair.count
    match runner.command:
        case Destroy():
            return 0
        case Scale() as scale if scale.counts:
            return size
    if runner.options.strategy == "immediate":
        return 0
    if runner.options.strategy == "bluegreen":
        return size
    return max(0, size - max(1, math.ceil(pair.count * 0.33)))


async def _simulate(chosen: Pair, trace: Callable[[str], None] | None) -> list[str]:
    run = PairRun(pair=chosen, trace=trace)
    await run.run()
    return run.found


def simulate_pair(seed: int, trace: Callable[[str], None] | None = None) -> list[str]:
    """What is wrong after the pair of a seed."""
    chosen = pair(seed)
    if trace is not None:
        trace(str([(r.name, r.begins, r.dies) for r in chosen.runners]))
    return play(seed, partial(_simulate, chosen, trace), longest=LONGEST)


def kinds_of(seed: int) -> Counter[str]:
    """The pair of a seed, for counting: `bluegreen + scale size`; whether it is a launch, a kill."""
    chosen = pair(seed)
    names = sorted(runner.name for runner in chosen.runners)
    marks = [] if chosen.count else ["two launches"]
    marks += ["one is killed"] if chosen.killed else []
    if len(marks) > 1:
        marks.append("two launches, one is killed")
    return Counter([" + ".join(names), *marks])
