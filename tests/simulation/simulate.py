"""Runs a scenario on trio's mock clock and says which promises were broken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import anyio
import trio
from attrs import define, evolve, field, frozen

from fly_emulator import Emulator, Faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.engine.operations.status import Status
from score_flyio.errors import LeaseHeld, ScoreFlyError, UsageError
from score_flyio.events import Event
from score_flyio.state.deployments import Release
from score_flyio.state.model import ProjectState
from tests.simulation import checks
from tests.simulation.capacity import CapacityWatch
from tests.simulation.certainty import must_end_well, uncertain
from tests.simulation.commands import Deploy, Destroy, RemoveCertificate, Rollback, name_of
from tests.simulation.counts import Counts
from tests.simulation.data import attached
from tests.simulation.ending import at_the_end
from tests.simulation.fleet import different, fleet, too_many
from tests.simulation.mock_clock import Traced, play
from tests.simulation.mortal import Disk, MortalStore, as_any, life_of, live
from tests.simulation.people import People
from tests.simulation.platform import CountedFaults, Disturber, new_platform, newest_release
from tests.simulation.provisioning import DATABASES, ENDPOINTS, Account, Databases, SimProject
from tests.simulation.running import Attempt, Connection, Process
from tests.simulation.scenario import DEEDS, RunPlan, Scenario, calm_runs

LONGEST = 24 * 3600.0
"""Seconds of simulated time after which a simulation counts as stuck."""
UNKNOWN_RELEASE = 999
"""That no app ever has."""


@define(kw_only=True)
class RunRecord(Attempt):
    """One run of a command."""

    number: int
    plan: RunPlan
    began: float
    """On the emulator's clock."""
    first_request: int
    """How many requests the journal had before."""
    state_before: tuple[str, str | None] | None = None
    attached: Mapping[str, str] = field(factory=dict)
    """By volume, the machine that had it before."""
    status: Status | None = None
    remembered: bool = False
    """Whether it was killed when all was done and in the state, and only its answer was left."""
    struck: Counter[str] = field(factory=Counter)

    @property
    def refused(self) -> bool:
        """The command makes no sense here, and says so."""
        return not self.killed and self.report is None and isinstance(self.error, UsageError)

    @property
    def done(self) -> bool:
        """Whether doing it again is of no use."""
        return self.remembered or (not self.killed and (self.exit_code == 0 or self.refused))


@frozen(kw_only=True)
class Ending:
    """How a command ended at last, and what was there then."""

    text: str
    fleet: dict[str, list[str]]


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
    commands: Counter[str] = field(factory=Counter)
    """Runs by kind of command."""
    emptied: frozenset[str] = frozenset()
    """Apps of which other people destroyed a whole group."""
    endings: dict[int, Ending] = field(factory=dict)
    """By place of the command; empty where deploys are not repeated until they are done."""


@define(kw_only=True)
class Simulation(Traced):
    """One world, one project, and the runs of a scenario."""

    scenario: Scenario
    clock: EventLoopClock = field(factory=EventLoopClock)
    rng: random.Random = field(init=False)
    emulator: Emulator = field(init=False)
    disk: Disk = field(init=False)
    account: Account = field(factory=Account)
    disturber: Disturber = field(init=False)
    people: People = field(init=False)
    violations: list[str] = field(factory=list)
    records: list[RunRecord] = field(factory=list)
    abandoned: set[str] = field(factory=set)
    """Nonces of leases that dead runs left behind."""
    stage: int = 0
    """That was deployed last."""
    counts: Counts = field(factory=Counts)
    releases: dict[tuple[str, int], int] = field(factory=dict)
    """The release of an app after the command in a place."""
    endings: dict[int, Ending] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(f"simulation:{self.scenario.seed}")
        self.emulator = new_platform(self.scenario.settings, self.clock)
        self.people = People(emulator=self.emulator, rng=random.Random(f"p:{self.scenario.seed}"))
        self.disturber = Disturber(self.emulator, random.Random(f"d:{self.scenario.seed}"))
        state = ProjectState.new("sim-")
        state.provisioners = (DATABASES, ENDPOINTS)
        state.salt = "pepper"
        self.disk = Disk.of(state)
        self.disk.on_commit.append(self._committed)

    def _committed(self, text: str) -> None:
        self.violations += checks.secrets_in(text, "the state")

    def _read_state(self, number: int) -> None:
        """Whatever a run ended with, the next one can read the state that it left."""
        try:
            self.disk.read()
        except ScoreFlyError as error:
            self.violations.append(f"run {number}: the state cannot be read: {error}")

    async def run(self, plans: tuple[RunPlan, ...]) -> None:
        """All runs, then the look at what is there."""
        last = plans[-1]
        for number, plan in enumerate(plans):
            done = bool(self.records) and self.records[-1].done
            if (plan.again and done) or (plan.idle and not (done and self._nothing_left(plan))):
                continue
            await anyio.sleep(plan.pause)
            calm = plan.calm if self.scenario.operations else plan is last
            if self.scenario.hosts_come_back or calm:
                self.disturber.bring_back()
            record = await self.one(number, plan)
            if self.scenario.operations and not plan.idle:
                self._ended(record)

    def _nothing_left(self, plan: RunPlan) -> bool:
        """Whether a command that is done has nothing to do: machines of hosts that went down, and
        of versions that are not well, are something to do.
        """
        certain = must_end_well(self.scenario, plan.place, plan.command)
        return certain and not (self.disturber.down or self.scenario.people)

    def _failed(self, record: RunRecord) -> bool:
        """Whether a command failed that must not, or failed for an app that is well."""
        known = uncertain(self.scenario, record.plan.place)
        if record.report is None or not known:
            return must_end_well(self.scenario, record.plan.place, record.plan.command)
        failed = {app.app for app in record.report.apps if app.outcome not in {"done", "unchanged"}}
        return bool(failed - known)

    def _held_too_long(self, record: RunRecord) -> bool:
        """Whether somebody else holds a machine for longer than the command waits, and so it says:
        that was begun before a run in which nothing goes wrong does not end with it.
        """
        enough = record.began + self.scenario.options.lease_wait
        failures = record.report.failures if record.report else (record.error,)
        return any(until > enough for until in self.disturber.foreign.values()) and all(
            isinstance(failure, LeaseHeld) for failure in failures
        )

    def _ended(self, record: RunRecord) -> None:
        """Notes how a command ended. That a host name has no certificate (any more) is what its
        removal wanted, if an earlier run of the command got as far as that.
        """
        plan = record.plan
        if not record.done:
            self.counts.cut_short(self, plan.place)
            if plan.calm and self._failed(record) and not self._held_too_long(record):
                shown = record.report.to_text() if record.report else record.error
                self.violations.append(f"run {record.number}: undisturbed, but it failed: {shown}")
            return
        text = f"refused, {getattr(record.error, 'code', '')}" if record.refused else "done"
        if isinstance(plan.command, RemoveCertificate) and plan.again and record.refused:
            text = "done"
        broken = self.counts.broken(self, plan.place, refused=record.refused)
        self.violations += [f"run {record.number}: {text}" for text in broken]
        self.endings[plan.place] = Ending(text=text, fleet=fleet(self, settled=False))
        for app in self.scenario.apps:
            self.releases[app.app, plan.place] = newest_release(self.emulator.world, app.app)
        if isinstance(plan.command, Destroy):
            for known in [key for key in self.releases if key[0] in plan.command.apps]:
                del self.releases[known]

    async def one(self, number: int, plan: RunPlan) -> RunRecord:
        """One run, and what must be true after it."""
        if isinstance(plan.command, Deploy):
            self.stage = plan.command.stage
            self.account.generation = self.scenario.secret_generations[self.stage]
        life = life_of(plan.kill)
        record = RunRecord(
            number=number,
            plan=plan,
            began=self.clock.time(),
            first_request=len(self.emulator.journal.entries),
            life=life,
            state_before=self.disk.texts,
            attached=attached(self.emulator.world),
        )
        self.records.append(record)
        faults = CountedFaults(plan.faults, seed=self.scenario.seed * 100 + number)
        self.emulator.faults = faults
        self._say(f"--- run {number}: {plan}")
        before = self.people.before(plan.command)
        capacity = CapacityWatch.begin(self.scenario, self.emulator, plan.command, self.stage)
        async with anyio.create_task_group() as background:
            for disturbance in plan.disturbances:
                others = self.people if disturbance.kind in DEEDS else self.disturber
                background.start_soon(others.carry_out, disturbance)
            async with trio.open_nursery() as requests:
                command = partial(self._command, record, requests)
                record.error = await live(life, plan.kill, command) or record.error
            background.cancel_scope.cancel()
        self.emulator.faults = Faults()
        self._read_state(number)
        record.struck = faults.struck
        capacity.end()
        if life.dead:
            self.abandon()
            record.remembered = self._remembered(record)
        self._say(
            f"--- run {number} ended: exit {record.exit_code} {record.life.cause} {record.error}"
        )
        self.violations += [
            f"run {number}: {text}" for text in checks.after_run(self, record, capacity)
        ]
        if isinstance(plan.command, Deploy) and plan.calm and record.exit_code == 0:
            self.violations += [f"run {number}: {text}" for text in before.undone()]
        return record

    def _remembered(self, record: RunRecord) -> bool:
        """Whether a rollback made its release: once more, it would go back from there."""
        command, before = record.plan.command, record.state_before
        if not isinstance(command, Rollback) or before is None:
            return False
        newest = [_newest_record(state, command.app) for state in (Disk(before), self.disk)]
        return newest[0] != newest[1]

    def abandon(self) -> None:
        now = self.clock.time()
        leases = (machine.lease_at(now) for machine in self.emulator.world.machines.values())
        self.abandoned |= {lease.nonce for lease in leases if lease is not None}

    async def _command(self, record: RunRecord, requests: trio.Nursery) -> None:
        life, scenario = record.life, self.scenario
        rng = random.Random(f"{scenario.seed}:{record.number}")
        trouble = 0.2 if record.plan.faults else 0.0

        def listen(event: Event) -> None:
            if not life.dead:
                record.events.append(event)
                self._say_event(event)

        process = Process(
            project=SimProject(
                Path("/nowhere"),
                as_any(MortalStore(self.disk, life, rng, scenario.save_slowest)),
                databases=Databases(self.account, life, rng, trouble),
            ),
            target=Connection(emulator=self.emulator, life=life, tasks=requests),
            listener=listen,
            clock=self.clock,
            rng=rng,
            apps=scenario.apps,
            options=scenario.options,
            release_of=lambda app, place: self.releases.get((app, place), UNKNOWN_RELEASE),
        )
        try:
            await process.carry_out(record.plan.command)
        except ScoreFlyError as error:
            record.error = error
        finally:
            record.report, record.status, record.told = process.report, process.status, process.told
        record.ended = True


def _newest_record(disk: Disk, app: str) -> Release | None:
    state = disk.read()
    known = state.deployments.get(app) if state else None
    return known.releases[-1] if known and known.releases else None


async def _simulate(scenario: Scenario, trace: Callable[[str], None] | None) -> Outcome:
    start = anyio.current_time()
    simulation = Simulation(scenario=scenario, trace=trace)
    await simulation.run(scenario.runs)
    await at_the_end(simulation)
    struck: Counter[str] = sum((r.struck for r in simulation.records), Counter())
    return Outcome(
        seed=scenario.seed,
        violations=tuple(simulation.violations),
        faults=struck + simulation.disturber.counts + simulation.people.counts,
        kills=Counter(r.life.cause for r in simulation.records if r.killed),
        runs=len(simulation.records),
        codes=Counter(r.exit_code for r in simulation.records if not r.killed),
        seconds=anyio.current_time() - start,
        fleet=fleet(simulation, settled=True),
        commands=Counter(name_of(r.plan.command) for r in simulation.records),
        emptied=frozenset(simulation.people.emptied),
        endings=simulation.endings,
    )


def on_mock_clock(scenario: Scenario, trace: Callable[[str], None] | None = None) -> Outcome:
    """One simulation, in no real time."""
    return play(scenario.seed, partial(_simulate, scenario, trace), longest=LONGEST)


def simulate(scenario: Scenario, trace: Callable[[str], None] | None = None) -> Outcome:
    """The scenario, compared with what it gives when nothing goes wrong."""
    outcome = on_mock_clock(scenario, trace)
    quiet = on_mock_clock(evolve(scenario, runs=calm_runs(scenario.commands)))
    wrong = [f"without any fault: {text}" for text in quiet.violations]
    unknown = uncertain(scenario, len(scenario.commands) - 1)
    if scenario.people:
        wrong += too_many(outcome.fleet, quiet.fleet, but=unknown | outcome.emptied)
        return evolve(outcome, violations=(*outcome.violations, *wrong))
    wrong += _other_endings(scenario, outcome, quiet) or different(
        outcome.fleet, quiet.fleet, but=unknown
    )
    return evolve(outcome, violations=(*outcome.violations, *wrong))


def _other_endings(scenario: Scenario, outcome: Outcome, quiet: Outcome) -> list[str]:
    """The first command that gives something else than when nothing goes wrong."""
    for place in sorted(outcome.endings.keys() & quiet.endings.keys()):
        found, wanted = outcome.endings[place], quiet.endings[place]
        command = scenario.commands[place]
        wrong = different(found.fleet, wanted.fleet, but=uncertain(scenario, place))
        if found.text != wanted.text and must_end_well(scenario, place, command):
            wrong.append(f"it was {found.text}, not {wanted.text}")
        if wrong:
            return [f"command {place} ({command}): {text}" for text in wrong]
    return []
