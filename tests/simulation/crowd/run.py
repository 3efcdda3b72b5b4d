"""Plays a crowd on trio's mock clock, and says which promises were broken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import trio
from attrs import define, evolve, field, frozen

from fly_emulator import Emulator, Faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Event
from score_flyio.state.model import ProjectState
from tests.simulation.commands import Deploy, name_of
from tests.simulation.crowd import rules
from tests.simulation.crowd.flyctl import Deploying
from tests.simulation.crowd.members import Before
from tests.simulation.crowd.others import Failed, Hands, Known
from tests.simulation.crowd.people import Person as Somebody
from tests.simulation.crowd.platform_deeds import Events
from tests.simulation.crowd.schedule import (
    COMPUTERS,
    Crowd,
    FlyctlDeploy,
    Other,
    Ours,
    Person,
    Platform,
    Round,
)
from tests.simulation.crowd.serving import Watch
from tests.simulation.data import attached
from tests.simulation.mock_clock import Traced, play
from tests.simulation.mortal import Disk, Life, MortalStore, as_any, life_of, live
from tests.simulation.platform import CountedFaults, new_platform
from tests.simulation.provisioning import Account, Databases, SimProject
from tests.simulation.running import Attempt, Connection, Process

LONGEST = 10 * 24 * 3600.0


@define(kw_only=True)
class Record(Attempt):
    """One command of ours, and how it ended."""

    number: int
    round: Round
    ours: Ours
    began: float
    first_request: int
    before: Before
    attached: dict[str, str] = field(factory=dict)

    @property
    def well(self) -> bool:
        return not self.killed and self.exit_code == 0


@define(kw_only=True)
class CrowdRun(Traced):
    """One platform, and all who work on it."""

    crowd: Crowd
    clock: EventLoopClock = field(factory=EventLoopClock)
    emulator: Emulator = field(init=False)
    known: Known = field(factory=Known)
    events: Events = field(init=False)
    rng: random.Random = field(init=False)
    disks: list[Disk] = field(init=False)
    older: list[Disk] = field(init=False)
    """What each computer's state was when the round before began."""
    records: list[Record] = field(factory=list)
    abandoned: set[str] = field(factory=set)
    found: list[str] = field(factory=list)
    """What was wrong."""
    counts: Counter[str] = field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        self.emulator = new_platform(self.crowd.settings, self.clock)
        self.rng = random.Random(f"crowd-run:{self.crowd.seed}")
        self.events = Events(self.emulator, self.known, random.Random(f"e:{self.crowd.seed}"))
        self.disks = [self._new_disk(number) for number in range(COMPUTERS)]
        self.older = [Disk(disk.texts) for disk in self.disks]

    @staticmethod
    def _new_disk(number: int) -> Disk:
        state = ProjectState.new("sim-")
        state.salt = f"pepper{number}"
        return Disk.of(state)

    async def run(self) -> None:
        """All rounds, then the peaceful end."""
        for each in self.crowd.rounds:
            await anyio.sleep(each.pause)
            if each.pause > 10:
                self.events.bring_back()
            await self._round(each)
        await self._end()

    async def _round(self, each: Round) -> None:
        self.emulator.advance()
        faults = [rule for ours in each.ours for rule in ours.faults]
        self.emulator.faults = CountedFaults(tuple(faults), seed=self.crowd.seed)
        self._say(f"--- round: after {each.pause} s, beside {each.others}")
        records: list[Record] = []
        watch = Watch.begin(self, each)
        async with anyio.create_task_group() as background:
            for other in each.others:
                background.start_soon(self._other, other)
            async with anyio.create_task_group() as tasks:
                for ours in each.ours:
                    tasks.start_soon(self._ours, each, ours, records)
        self.emulator.faults = Faults()
        self.emulator.advance()
        self.found += [f"{len(self.records)}: {text}" for text in watch.end()]
        for record in records:
            wrong = rules.after_run(self, record)
            self.found += [f"{name_of(record.ours.command)} {record.number}: {t}" for t in wrong]
        self._abandon()

    def _abandon(self) -> None:
        now = self.clock.time()
        leases = (machine.lease_at(now) for machine in self.emulator.world.machines.values())
        self.abandoned |= {lease.nonce for lease in leases if lease is not None}

    async def _other(self, other: Other) -> None:
        await anyio.sleep(other.at)
        self._say(f"{anyio.current_time():9.3f} others: {other}")
        kind = other.does if isinstance(other, Person | Platform) else "flyctl deploy"
        self.counts[kind] += 1
        hands = Hands(self.emulator, self.known)
        try:
            match other:
                case Person():
                    await Somebody(hands, self.rng).do(other.does)
                case FlyctlDeploy():
                    with anyio.move_on_after(other.dies):
                        await Deploying(hands, self.crowd.app, other.stage).run()
                case Platform():
                    await self.events.happen(other)
        except Failed as failure:
            self._say(f"{anyio.current_time():9.3f} others failed: {failure}")
        else:
            self._say(f"{anyio.current_time():9.3f} others done: {kind}")

    async def _ours(self, each: Round, ours: Ours, records: list[Record]) -> None:
        disk = self.disks[ours.computer]
        if ours.memory == "lost":
            disk.texts = self._new_disk(ours.computer).texts
        elif ours.memory == "old":
            disk.texts = self.older[ours.computer].texts
        self.older[ours.computer] = Disk(disk.texts)
        record = Record(
            number=len(self.records),
            round=each,
            ours=ours,
            began=self.clock.time(),
            first_request=self.emulator.journal.noted,
            life=life_of(ours.kill),
            before=Before.of(self),
            attached=dict(attached(self.emulator.world)),
        )
        self.records.append(record)
        how = (ours.options.strategy, ours.options.ha, ours.options.on_failure)
        told = f"computer {ours.computer} ({ours.memory}): {ours.command} {how} {ours.kill}"
        self._say(f"--- {record.number} begins on {told} {ours.faults}")
        async with trio.open_nursery() as requests:
            command = partial(self._command, record, disk, requests)
            record.error = await live(record.life, ours.kill, command) or record.error
        if record.killed:
            self._abandon()
            self.known.stopped |= rules.stopped_by(self, record)
        self._say(f"--- {record.number} ended: exit {record.exit_code} {record.life.cause}")
        self._say(f"    {record.report.to_text() if record.report else record.error}")
        records.append(record)

    def _project(self, disk: Disk, life: Life, rng: random.Random) -> SimProject:
        return SimProject(
            Path("/nowhere"),
            as_any(MortalStore(disk, life, rng, 0.05)),
            databases=Databases(Account(), life, rng, 0.0),
        )

    async def _command(self, record: Record, disk: Disk, requests: trio.Nursery) -> None:
        life = record.life
        rng = random.Random(f"{self.crowd.seed}:{record.number}")

        def listen(event: Event) -> None:
            if not life.dead:
                record.events.append(event)
                self._say_event(event, str(record.number))

        process = Process(
            project=self._project(disk, life, rng),
            target=Connection(emulator=self.emulator, life=life, tasks=requests),
            listener=listen,
            clock=self.clock,
            rng=rng,
            apps=(self.crowd.app,),
            options=record.ours.options,
            release_of=lambda _app, _place: 1,
        )
        try:
            await process.carry_out(record.ours.command)
        except ScoreFlyError as error:
            record.error = error
        finally:
            record.report, record.told = process.report, process.told
        record.ended = True

    async def _end(self) -> None:
        """All is calm: the last version is deployed, then there is nothing to do."""
        await anyio.sleep(500)
        self.events.bring_back()
        await anyio.sleep(30)
        options = DeployOptions(
            allow_destructive=True, strategy="rolling", wait_timeout=60.0, smoke_checks=False
        )
        last = Ours(command=Deploy(stage=len(self.crowd.app.stages) - 1), options=options)
        await self._round(Round(ours=(last,)))
        record = self.records[-1]
        if record.exit_code:
            told = record.report.to_text() if record.report else record.error
            if not rules.excused_at_the_end(str(told)):
                self.found.append(f"at the end: exit {record.exit_code}: {told}")
            return
        self.found += [f"at the end: {text}" for text in rules.leftovers(self)]
        await anyio.sleep(60)
        await self._empty_plan(last)
        await self._round(Round(ours=(evolve(last),)))
        again = self.records[-1]
        self.found += [f"once more: {text}" for text in rules.sent_for_nothing(self, again)]

    async def _empty_plan(self, last: Ours) -> None:
        assert isinstance(last.command, Deploy)
        life, rng = Life(), random.Random(0)
        async with (
            trio.open_nursery() as requests,
            Engine(
                self._project(self.disks[last.computer], life, rng),
                target=Connection(emulator=self.emulator, life=life, tasks=requests),
                clock=self.clock,
                rng=rng,
                write_files=False,
            ) as engine,
        ):
            plan = await engine.plan([self.crowd.app.input(last.command.stage)], last.options)
        if plan.failures or not plan.empty:
            self.found.append(f"at the end the plan is not empty: {plan.describe()[:300]}")


@frozen(kw_only=True)
class CrowdOutcome:
    """What a crowd showed."""

    seed: int
    violations: tuple[str, ...]
    counts: Counter[str] = field(factory=Counter)
    """What others did, and our commands, by kind."""


async def _simulate(chosen: Crowd, trace: Callable[[str], None] | None) -> CrowdOutcome:
    run = CrowdRun(crowd=chosen, trace=trace)
    await run.run()
    commands = Counter(f"our {name_of(r.ours.command)}" for r in run.records)
    return CrowdOutcome(seed=chosen.seed, violations=tuple(run.found), counts=run.counts + commands)


def simulate_crowd(chosen: Crowd, trace: Callable[[str], None] | None = None) -> CrowdOutcome:
    """One crowd, in no real time."""
    return play(chosen.seed, partial(_simulate, chosen, trace), longest=LONGEST)
