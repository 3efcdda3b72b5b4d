"""Runs a scenario on trio's mock clock and says which promises were broken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.abc
import trio
from attrs import define, field, frozen
from trio.testing import MockClock

from score_flyio.clock import EventLoopClock
from score_flyio.deploy.execution.report import Report
from score_flyio.emulator import Emulator, Faults
from score_flyio.engine import Engine
from score_flyio.errors import DeployError, ScoreFlyError
from score_flyio.events import Event
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.state.model import ProjectState
from score_flyio.target import EMULATOR_URL, EmulatorTarget
from tests.simulation import checks
from tests.simulation.capacity import CapacityWatch
from tests.simulation.mortal import Disk, Life, MortalStore, MortalTransport, Steps, as_any
from tests.simulation.platform import CountedFaults, Disturber, new_platform
from tests.simulation.provisioning import DATABASES, ENDPOINTS, Account, Databases, SimProject
from tests.simulation.scenario import RunPlan, Scenario

LONGEST = 24 * 3600.0
"""Seconds of simulated time after which a simulation counts as stuck."""


@define(kw_only=True)
class RunRecord:
    """One run of the engine."""

    number: int
    plan: RunPlan
    began: float
    """On the emulator's clock."""
    first_request: int
    """How many requests the journal had before."""
    life: Life
    events: list[Event] = field(factory=list)
    report: Report | None = None
    error: BaseException | None = None
    struck: Counter[str] = field(factory=Counter)

    @property
    def killed(self) -> bool:
        return self.life.dead

    @property
    def exit_code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        return self.error.exit_code if isinstance(self.error, ScoreFlyError) else 1


@frozen(kw_only=True)
class Outcome:
    """What a simulation showed."""

    seed: int
    violations: tuple[str, ...]
    faults: Counter[str]
    kills: Counter[str]
    runs: int
    codes: Counter[int]
    seconds: float
    """Simulated."""
    fleet: dict[str, list[str]]
    """What runs at the end, by app."""


@define(kw_only=True)
class Connection(EmulatorTarget):
    """The emulator as one mortal process reaches it."""

    life: Life
    tasks: anyio.abc.TaskGroup

    def _client(
        self, emulator: Emulator, emit: Callable[[Event], None], rng: random.Random
    ) -> FlyClient:
        return FlyClient(
            EMULATOR_URL,
            Tokens.parse("emulated", source="the simulation"),
            transport=lambda: MortalTransport(emulator, self.life, self.tasks),
            rng=rng,
            emit=emit,
            web_url=EMULATOR_URL,
        )


@define(kw_only=True)
class Simulation:
    """One world, one project, and the runs of a scenario."""

    scenario: Scenario
    trace: Callable[[str], None] | None = None
    clock: EventLoopClock = field(factory=EventLoopClock)
    rng: random.Random = field(init=False)
    emulator: Emulator = field(init=False)
    disk: Disk = field(init=False)
    account: Account = field(factory=Account)
    disturber: Disturber = field(init=False)
    violations: list[str] = field(factory=list)
    records: list[RunRecord] = field(factory=list)
    abandoned: set[str] = field(factory=set)
    """Nonces of leases that dead runs left behind."""
    generations: set[int] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(f"simulation:{self.scenario.seed}")
        self.emulator = new_platform(self.scenario.settings, self.clock)
        self.disturber = Disturber(self.emulator, random.Random(f"d:{self.scenario.seed}"))
        state = ProjectState.new("sim-")
        state.provisioners = (DATABASES, ENDPOINTS)
        state.salt = "pepper"
        self.disk = Disk.of(state)
        self.disk.on_commit.append(self._committed)

    def _committed(self, text: str) -> None:
        try:
            self.disk.read()
        except ScoreFlyError as error:
            self.violations.append(f"the state cannot be read: {error}")
        self.violations += checks.secrets_in(text, self.account, "the state")

    async def run(self, plans: tuple[RunPlan, ...]) -> None:
        """All runs, then the look at what is there."""
        for number, plan in enumerate(plans):
            await anyio.sleep(plan.pause)
            if self.scenario.hosts_come_back or number == len(plans) - 1:
                self.disturber.bring_back()
            await self.one(number, plan)

    async def one(self, number: int, plan: RunPlan) -> RunRecord:
        """One run, and what must be true after it."""
        self.account.generation = self.scenario.secret_generations[plan.stage]
        kill = plan.kill
        life = Life(orphans_go_on=kill.orphans_go_on if kill else False)
        if kill and kill.kind not in {"step", "time"}:
            life.deadlines[kill.kind] = int(kill.count)
        record = RunRecord(
            number=number,
            plan=plan,
            began=self.clock.time(),
            first_request=len(self.emulator.journal.entries),
            life=life,
        )
        self.records.append(record)
        faults = CountedFaults(plan.faults, seed=self.scenario.seed * 100 + number)
        self.emulator.faults = faults
        self._say(f"--- run {number}, stage {plan.stage}: {plan}")
        capacity = CapacityWatch.begin(self.scenario, self.emulator, plan.stage)
        async with anyio.create_task_group() as background:
            for disturbance in plan.disturbances:
                background.start_soon(self.disturber.carry_out, disturbance)
            async with anyio.create_task_group() as requests:
                await self._live(record, requests)
            background.cancel_scope.cancel()
        self.emulator.faults = Faults()
        record.struck = faults.struck
        capacity.end()
        if life.dead:
            self.abandon()
        self._say(
            f"--- run {number} ended: exit {record.exit_code} {record.life.cause} {record.error}"
        )
        self.violations += [
            f"run {number}: {text}" for text in checks.after_run(self, record, capacity)
        ]
        return record

    def abandon(self) -> None:
        now = self.clock.time()
        leases = (machine.lease_at(now) for machine in self.emulator.world.machines.values())
        self.abandoned |= {lease.nonce for lease in leases if lease is not None}

    async def _live(self, record: RunRecord, requests: anyio.abc.TaskGroup) -> None:
        life, kill = record.life, record.plan.kill
        instrument = Steps(life, int(kill.count)) if kill and kill.kind == "step" else None
        if instrument:
            trio.lowlevel.add_instrument(instrument)
        try:
            async with anyio.create_task_group() as timer:
                if kill and kill.kind == "time":
                    timer.start_soon(_die_after, life, kill.count)
                try:
                    with life.scope:
                        await self._deploy(record, requests)
                except BaseException as error:  # whatever it is, a dead process raises nothing
                    if not life.dead:
                        raise
                    record.error = error
                timer.cancel_scope.cancel()
        finally:
            if instrument:
                trio.lowlevel.remove_instrument(instrument)

    async def _deploy(self, record: RunRecord, requests: anyio.abc.TaskGroup) -> None:
        life, scenario = record.life, self.scenario
        rng = random.Random(f"{scenario.seed}:{record.number}")
        trouble = 0.2 if record.plan.faults else 0.0
        project = SimProject(
            Path("/nowhere"),
            as_any(MortalStore(self.disk, life, rng, scenario.save_slowest)),
            databases=Databases(self.account, life, rng, trouble),
        )

        def listen(event: Event) -> None:
            if not life.dead:
                record.events.append(event)
                self._say_event(event)

        target = Connection(emulator=self.emulator, life=life, tasks=requests)
        inputs = [app.input(record.plan.stage) for app in scenario.apps]
        try:
            async with Engine(
                project,
                target=target,
                listener=listen,
                clock=self.clock,
                rng=rng,
                write_files=False,
            ) as engine:
                run = engine.deploy(inputs, scenario.options)
                try:
                    async with run:
                        pass
                finally:
                    if not life.dead:
                        record.report = run.report
        except DeployError as error:
            record.error = error
        except ScoreFlyError as error:
            record.error = error

    def _say(self, text: str) -> None:
        if self.trace is not None:
            self.trace(text)

    def _say_event(self, event: Event) -> None:
        if self.trace is not None:
            self.trace(f"{anyio.current_time():9.3f} {_shown(event)}")


def _shown(event: Event) -> str:
    from score_flyio.events import to_json

    document = to_json(event)
    for name in ("seq", "at"):
        document.pop(name)
    return " ".join(f"{name}={value}" for name, value in document.items())


async def _die_after(life: Life, seconds: float) -> None:
    await anyio.sleep(seconds)
    life.die("time")


async def _simulate(scenario: Scenario, trace: Callable[[str], None] | None) -> Outcome:
    with anyio.fail_after(LONGEST):
        start = anyio.current_time()
        simulation = Simulation(scenario=scenario, trace=trace)
        await simulation.run(scenario.runs)
        await checks.at_the_end(simulation)
        struck: Counter[str] = sum((r.struck for r in simulation.records), Counter())
        return Outcome(
            seed=scenario.seed,
            violations=tuple(simulation.violations),
            faults=struck + simulation.disturber.counts,
            kills=Counter(r.life.cause for r in simulation.records if r.killed),
            runs=len(simulation.records),
            codes=Counter(r.exit_code for r in simulation.records if not r.killed),
            seconds=anyio.current_time() - start,
            fleet=checks.fleet(simulation),
        )


def on_mock_clock(scenario: Scenario, trace: Callable[[str], None] | None = None) -> Outcome:
    """One simulation in an event loop of its own, in no real time.

    Trio mixes up the order of tasks on purpose; here the order comes from the seed.
    """
    internals = vars(trio._core._run)
    internals["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    internals["_r"].seed(scenario.seed)
    return trio.run(partial(_simulate, scenario, trace), clock=MockClock(autojump_threshold=0))


def simulate(scenario: Scenario, trace: Callable[[str], None] | None = None) -> Outcome:
    """The scenario, compared with what it gives when nothing goes wrong."""
    from attrs import evolve

    outcome = on_mock_clock(scenario, trace)
    quiet = on_mock_clock(checks.undisturbed(scenario))
    wrong = [f"without any fault: {text}" for text in quiet.violations]
    wrong += checks.different(outcome.fleet, quiet.fleet)
    return evolve(outcome, violations=(*outcome.violations, *wrong))
