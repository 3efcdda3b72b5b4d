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
from trio.testing import MockClock

from fly_emulator import Emulator, Faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Event, to_json
from score_flyio.state.model import ProjectState
from tests.simulation.commands import Deploy, name_of
from tests.simulation.crowd import rules
from tests.simulation.crowd.flyctl import Deploying
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
from tests.simulation.data import attached
from tests.simulation.mortal import Disk, Life, MortalStore, Steps, as_any
from tests.simulation.platform import CountedFaults, new_platform
from tests.simulation.provisioning import Account, Databases, SimProject
from tests.simulation.running import Connection, Process

LONGEST = 10 * 24 * 3600.0


@define(kw_only=True)
class Record:
    """One command of ours, and how it ended."""

    number: int
    round: Round
    ours: Ours
    began: float
    first_request: int
    life: Life
    before: rules.Before
    events: list[Event] = field(factory=list)
    attached: dict[str, str] = field(factory=dict)
    report: Report | None = None
    told: list[str] = field(factory=list)
    error: BaseException | None = None
    ended: bool = False

    @property
    def killed(self) -> bool:
        return self.life.dead

    @property
    def exit_code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        if self.error is None and self.ended:
            return 0
        return self.error.exit_code if isinstance(self.error, ScoreFlyError) else 1

    @property
    def well(self) -> bool:
        return not self.killed and self.exit_code == 0


@define(kw_only=True)
class CrowdRun:
    """One platform, and all who work on it."""

    crowd: Crowd
    trace: Callable[[str], None] | None = None
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
        watch = rules.Watch.begin(self, each)
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
            life=_life(ours),
            before=rules.Before.of(self),
            attached=dict(attached(self.emulator.world)),
        )
        self.records.append(record)
        how = (ours.options.strategy, ours.options.ha, ours.options.on_failure)
        told = f"computer {ours.computer} ({ours.memory}): {ours.command} {how} {ours.kill}"
        self._say(f"--- {record.number} begins on {told} {ours.faults}")
        async with trio.open_nursery() as requests:
            await self._live(record, disk, requests)
        if record.killed:
            self._abandon()
        self._say(f"--- {record.number} ended: exit {record.exit_code} {record.life.cause}")
        self._say(f"    {record.report.to_text() if record.report else record.error}")
        records.append(record)

    async def _live(self, record: Record, disk: Disk, requests: trio.Nursery) -> None:
        life, kill = record.life, record.ours.kill
        instrument = Steps(life, int(kill.count)) if kill and kill.kind == "step" else None
        if instrument:
            trio.lowlevel.add_instrument(instrument)
        try:
            async with anyio.create_task_group() as timer:
                if kill and kill.kind == "time":
                    timer.start_soon(_die_after, life, kill.count)
                try:
                    with life.scope:
                        await self._command(record, disk, requests)
                except BaseException as error:  # whatever it is, a dead process raises nothing
                    if not life.dead:
                        raise
                    record.error = error
                timer.cancel_scope.cancel()
        finally:
            if instrument:
                trio.lowlevel.remove_instrument(instrument)

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
                self._say_event(record.number, event)

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
            if not rules.excused_at_the_end(record, str(told)):
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

    def _say(self, text: str) -> None:
        if self.trace is not None:
            self.trace(text)

    def _say_event(self, number: int, event: Event) -> None:
        if self.trace is not None:
            shown = {k: v for k, v in to_json(event).items() if k not in {"seq", "at"}}
            self.trace(f"{number} {anyio.current_time():9.3f} {shown}")


def _life(ours: Ours) -> Life:
    life = Life(orphans_go_on=ours.kill.orphans_go_on if ours.kill else False)
    if ours.kill and ours.kill.kind not in {"step", "time"}:
        life.deadlines[ours.kill.kind] = int(ours.kill.count)
    return life


async def _die_after(life: Life, seconds: float) -> None:
    await anyio.sleep(seconds)
    life.die("time")


@frozen(kw_only=True)
class CrowdOutcome:
    """What a crowd showed."""

    seed: int
    violations: tuple[str, ...]
    counts: Counter[str] = field(factory=Counter)
    """What others did, and our commands, by kind."""


async def _simulate(chosen: Crowd, trace: Callable[[str], None] | None) -> CrowdOutcome:
    with anyio.fail_after(LONGEST):
        run = CrowdRun(crowd=chosen, trace=trace)
        await run.run()
        commands = Counter(f"our {name_of(r.ours.command)}" for r in run.records)
        return CrowdOutcome(
            seed=chosen.seed, violations=tuple(run.found), counts=run.counts + commands
        )


def simulate_crowd(chosen: Crowd, trace: Callable[[str], None] | None = None) -> CrowdOutcome:
    """One crowd, in no real time; the order of tasks comes from the seed."""
    internals = vars(trio._core._run)
    internals["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    internals["_r"].seed(chosen.seed)
    return trio.run(partial(_simulate, chosen, trace), clock=MockClock(autojump_threshold=0))
