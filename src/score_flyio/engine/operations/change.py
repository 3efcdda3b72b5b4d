"""One operation on apps: observe → plan → tell → carry out → remember."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias, TypeVar

import anyio

from fly_machines import models
from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.compare import differences
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.drift import drift
from score_flyio.deploy.execution.execute import AppResult
from score_flyio.deploy.execution.report import Report, RunOutcome
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.metadata import by_group, release_number
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.shown import describe_app
from score_flyio.deploy.saved import saved_app
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step, UpdateMachine
from score_flyio.engine.apply import Work, apply
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.session import Session, StateRecorder
from score_flyio.errors import ConfigError, ScoreFlyError
from score_flyio.events import Scope, WarningRaised
from score_flyio.events.run import run_frame
from score_flyio.fly.present import metadata
from score_flyio.flytoml.spec import AppSpec

T = TypeVar("T")


@frozen(kw_only=True)
class Change:
    """What an operation would do to an app, or did."""

    ref: AppRef
    """The app."""
    work: Work = field(repr=False)
    """The plan, and how it is carried out."""
    destroys: tuple[str, ...] = ()
    """The machines that go because there are to be fewer."""
    report: Report | None = None
    """How it went; None where it was only looked at."""
    result: AppResult | None = field(default=None, repr=False)
    """How the steps went, where any began."""

    @classmethod
    def of(cls, session: Session, ref: AppRef, observed: ObservedApp, *steps: Step) -> Change:
        """Of steps that make no release."""
        plan = session.plan(ref.app, ref.label, *steps)
        return cls(ref=ref, work=Work(plan=plan, observed=observed))

    @property
    def plan(self) -> AppPlan:
        """The steps."""
        return self.work.plan

    def describe(self) -> str:
        """The steps, for a person."""
        return describe_app(self.plan)


Ask: TypeAlias = Callable[[T], Awaitable[None] | None]
"""Is told what will be done before anything changes, and may take its time; raises where it is not
to be done."""
Before: TypeAlias = Ask[Change]


async def ask(before: Ask[T] | None, what: T) -> None:
    """Tells what will be done to whoever wants to know. Raises what they raise."""
    answer = None if before is None else before(what)
    if answer is not None:
        await answer


@define(kw_only=True)
class Operation:
    """An operation that goes on."""

    session: Session
    recorder: StateRecorder
    dry_run: bool
    """Whether it is only looked at."""
    outcome: RunOutcome = "unchanged"
    """How it went, as `run_finished` tells it."""

    async def carry_out(
        self,
        change: Change,
        *,
        before: Before | None = None,
        look: Callable[[], Awaitable[Change]] | None = None,
    ) -> Change:
        """Does it, unless it is only looked at; gives how it went.

        `look` observes and plans anew where somebody changed the app meanwhile; None: then it is
        refused.
        """
        if self.dry_run:
            return change
        await ask(before, change)

        async def again(look: Callable[[], Awaitable[Change]]) -> Work:
            new = await look()
            await ask(before, new)
            return new.work

        work = change.work if look is None else evolve(change.work, again=partial(again, look))
        report, results = await apply(self.session, self.recorder, [work])
        self.outcome = report.outcome
        return evolve(change, report=report, result=results.get(change.ref.app))

    def known_definition(self, ref: AppRef) -> AppSpec | None:
        """What `--config` names, else the fly.toml that was written for the workload.

        One that cannot be read is warned of, and counts as none.
        """
        if ref.definition is not None or ref.workload is None:
            return ref.definition
        path = self.session.project.toml_path(ref.workload)
        if not path.is_file():
            return None
        try:
            return FlyTomlApp.load(path.name, path.parent, app=ref.app).spec
        except ConfigError as error:
            message = f"{path.name} is ignored, because it cannot be read: {error.message}"
            self.warn(ref, message, "definition_unreadable")
            return None

    def definition_after(
        self, ref: AppRef, observed: ObservedApp, plan: AppPlan, known: AppSpec | None
    ) -> AppSpec | None:
        """What Fly is told of a release that machines were given, as it is when the plan is done.

        A plan that changes no config leaves the known one true, unless that was not deployed, or
        others deployed another one. None, with a warning, where what runs cannot be written as a
        fly.toml and none is known.
        """
        configs = _configs(plan)
        changes = any(_differs(machine, configs) for machine in observed.machines)
        if known is not None and not changes and _is_true(known, observed):
            return known
        gone = {
            s.target.machine or s.target.step for s in plan.steps if isinstance(s, DestroyMachine)
        }
        machines = [
            evolve(m, config=configs.get(m.id or "", m.config))
            for m in observed.machines
            if m.id not in gone or m.id in configs
        ]
        machines += [
            models.Machine(id=step.id, config=step.config)
            for step in plan.steps
            if isinstance(step, CreateMachine) and step.previous is None and step.id not in gone
        ]
        try:
            return saved_app(ref.app, machines, definition=known, volumes=observed.volumes).spec
        except ScoreFlyError as error:
            if known is None:
                message = f"Fly is not told of this release: {error.message}"
                self.warn(ref, message, "release_record")
            return known

    def warn(self, ref: AppRef, message: str, code: str) -> None:
        """Tells what a person should know of an app, and stops nothing."""
        scope = Scope.of_app(ref.app, ref.label)
        self.session.emit(WarningRaised(scope=scope, message=message, code=code))


@asynccontextmanager
async def operation(
    session: Session, command: str, *refs: AppRef, dry_run: bool, remembered: bool = True
) -> AsyncIterator[Operation]:
    """The block begins and ends with `run_started` and `run_finished`, as a deploy does.

    The command is what a person runs. The project state is locked for what is `remembered` in it.
    """
    labels = [ref.label for ref in refs]
    with run_frame(session.emit, command, labels, now=anyio.current_time) as frame:
        session.tell_target()
        async with session.memory(command, to_look=dry_run or not remembered) as recorder:
            do = Operation(session=session, recorder=recorder, dry_run=dry_run)
            yield do
        frame.outcome = do.outcome


def _is_true(definition: AppSpec, observed: ObservedApp) -> bool:
    """Whether groups are as the definition says, as far as that can be told without files."""
    groups = by_group(observed.machines).values()
    newest = [max(group, key=lambda m: release_number(metadata(m))) for group in groups]
    try:
        found = drift(definition, newest, files=NO_FILES)
    except ConversionError:
        return True
    return not any(each.machine for each in found)


def _configs(plan: AppPlan) -> Mapping[str, models.FlyMachineConfig]:
    """The new config by the id of the machine that gets it, or that is replaced."""
    found = {}
    for step in plan.steps:
        match step:
            case UpdateMachine(machine=machine, request=request) if request.config:
                found[machine] = request.config
            case CreateMachine(previous=str(machine), request=create) if create.config:
                found[machine] = create.config
    return found


def _differs(machine: models.Machine, configs: Mapping[str, models.FlyMachineConfig]) -> bool:
    """Whether more than marks changes."""
    new = configs.get(machine.id or "")
    return new is not None and bool(differences(new, machine.config or models.FlyMachineConfig()))
