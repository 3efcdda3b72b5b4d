"""Carries out the plan of one app.

Every step is a task from when nothing is left that it waits for. After a first failure no new step
starts, those under way end, and what the plan's recovery says is done. Whatever happens, leases are
let go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, TypeAlias

import anyio
import anyio.abc

from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.app_step import DestroyApp, ReleaseAddress
from score_flyio.deploy.execution.context import (
    Context,
    ContextSettings,
    MadeMachine,
    Outdated,
    Unchanged,
    new_context,
)
from score_flyio.deploy.execution.meeting import WHY, gives_way, taking_back
from score_flyio.deploy.execution.steps import carry_out
from score_flyio.deploy.execution.steps.machines import leave
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.recovery import plan_recovery
from score_flyio.deploy.step import AwaitHealthy, Step
from score_flyio.errors import PlanError, ScoreFlyError
from score_flyio.errors.unwrap import beside
from score_flyio.events import (
    RollbackFinished,
    RollbackStarted,
    Scope,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)

Outcome: TypeAlias = Literal["done", "unchanged", "failed", "skipped", "interrupted"]
"""How a step ended.

`unchanged` when there turned out to be nothing to do, `interrupted` when the run was cut short.
"""


@frozen(kw_only=True)
class StepResult:
    """How one step ended; times in seconds on the event loop's clock."""

    step: Step
    outcome: Outcome
    started: float
    ended: float
    error: ScoreFlyError | None = None
    value: Any = field(default=None, repr=False)


@frozen(kw_only=True)
class AppResult:
    """How the deploy of one app ended, or how far it came."""

    plan: AppPlan
    results: Mapping[str, StepResult] = field(factory=dict)
    recovery: Mapping[str, StepResult] = field(factory=dict)
    states: Mapping[str, str] = field(factory=dict)
    """How machines were that the run looked at, by id."""
    addresses: tuple[str, ...] = ()
    """Those of the app, made by the run or there before."""
    error: ScoreFlyError | None = None
    """What ended it beside its steps."""

    @property
    def failures(self) -> tuple[ScoreFlyError, ...]:
        found = [each.error for each in self.results.values() if each.error is not None]
        known = {str(error) for error in found}  # the others may have the same reason
        others = (self.error, *(each.error for each in self.recovery.values()))
        return (*found, *(error for error in others if error and str(error) not in known))

    @property
    def done(self) -> tuple[StepResult, ...]:
        """Those of the plan's steps that did something."""
        return tuple(r for r in self.results.values() if r.outcome == "done")

    @property
    def changed(self) -> bool:
        """Whether any of them changed something at Fly."""
        return any(result.step.mutates for result in self.done)


@asynccontextmanager
async def app_execution(context: ContextSettings, plan: AppPlan) -> AsyncGenerator[AppExecution]:
    """Holds what the steps of one app share; on leaving, leases are let go.

    Steps can be given in several calls of `carry_out`, also while earlier ones run.
    """
    async with anyio.create_task_group() as tasks:
        shared = new_context(context, tasks)
        try:
            async with beside(shared.health.run):
                yield AppExecution(context=shared, plan=plan)
        except anyio.get_cancelled_exc_class():
            shared.leases.release_all()
            await shared.release.cut_short("interrupted")
            raise
        except ScoreFlyError as error:
            shared.leases.release_all()
            await shared.release.cut_short("failed", error.message)
            raise
        finally:
            shared.leases.release_all()


@define(eq=False, kw_only=True)
class _Batch:
    """Steps that were given together, each begun once nothing is left that it waits for."""

    tasks: anyio.abc.TaskGroup
    left: int
    """Steps that have not begun."""
    all_begun: anyio.Event = field(factory=anyio.Event)
    over: bool = False

    def begun(self) -> None:
        """One more has."""
        self.left -= 1
        if not self.left:
            self.all_begun.set()


@define(eq=False, kw_only=True)
class _Waiting:
    """A step that has not begun."""

    step: Step
    batch: _Batch
    needs: int
    """Steps before it that have not ended."""
    ready: float = 0.0
    """When it needed nothing but a slot."""


@define(eq=False)
class _Pool:
    """Slots, and the steps that wait for one."""

    free: int
    queue: deque[_Waiting] = field(factory=deque)


@define(kw_only=True)
class _Run:
    """One pass over a growing set of steps."""

    context: Context
    pools: dict[str, _Pool] = field(factory=dict)
    results: dict[str, StepResult] = field(factory=dict)
    known: set[str] = field(factory=set)
    """Ids of the steps that were given."""
    going: dict[str, list[_Waiting]] = field(factory=dict)
    """What waits for each of the steps that have not ended."""
    holders: dict[str, str] = field(factory=dict)
    """Pools of the slots that are taken, by the id of the step that took each."""
    freed: dict[str, str] = field(factory=dict)
    """The step that gave a slot back last, by pool."""
    unchanged: set[str] = field(factory=set)
    """Machines that turned out to need no change."""
    failed: bool = False
    stale: str | None = None
    """Why the plan does not fit any more: its steps on machines are not done."""

    async def carry_out(self, steps: Iterable[Step], pools: Mapping[str, int]) -> None:
        """All steps that are not known yet, each once those that it needs have ended.

        Raises:
            PlanError: steps need each other: none of them would ever begin.
        """
        for name, size in pools.items():
            self.pools.setdefault(name, _Pool(max(1, size)))
        new = [step for step in steps if step.id not in self.known]
        self.known.update(step.id for step in new)
        self.going.update({step.id: [] for step in new})
        before = {step.id: {need for need in step.needs if need in self.going} for step in new}
        _refuse_circle(before)
        self.context.health.coming += sum(isinstance(step, AwaitHealthy) for step in new)
        async with anyio.create_task_group() as tasks:
            batch = _Batch(tasks=tasks, left=len(new))
            try:
                for step in new:
                    waiting = _Waiting(step=step, batch=batch, needs=len(before[step.id]))
                    for need in before[step.id]:
                        self.going[need].append(waiting)
                    if self._may_begin(waiting):
                        self._start(waiting)
                if batch.left:
                    await batch.all_begun.wait()
            except BaseException:
                batch.over = True
                raise

    def _may_begin(self, waiting: _Waiting) -> bool:
        """Whether a step waits for nothing, with the slot that it takes."""
        if waiting.needs or waiting.batch.over:
            return False
        step, waiting.ready = waiting.step, anyio.current_time()
        pool = self.pools.get(step.takes) if step.takes else None
        if pool is None or self._why_not(step) is not None:
            return True
        if not pool.free:
            pool.queue.append(waiting)
            return False
        pool.free -= 1
        self.holders[step.id] = step.takes or ""
        return True

    def _start(self, waiting: _Waiting) -> None:
        """Begins a step in a task: none has one before, for thousands of them take much memory."""
        waiting.batch.tasks.start_soon(self.steps, waiting)
        waiting.batch.begun()

    async def steps(self, waiting: _Waiting) -> None:
        """A step, and one after the other what it was the last thing to wait for."""
        following: _Waiting | None = waiting
        while following is not None:
            step, batch = following.step, following.batch
            try:
                if not self._skipped(step):
                    await self._act(step, ready=following.ready)
            finally:
                self._free(step)
            following = None
            for later in self.going.pop(step.id):
                later.needs -= 1
                if not self._may_begin(later):
                    continue
                if following is None and later.batch is batch:
                    following = later
                    batch.begun()
                else:
                    self._start(later)

    def _skipped(self, step: Step) -> bool:
        reason = self._why_not(step)
        if reason is None:
            return False
        now = anyio.current_time()
        self.results[step.id] = StepResult(step=step, outcome="skipped", started=now, ended=now)
        if reason:
            self.context.emit(
                StepSkipped(scope=self._scope(step), description=step.describe(), reason=reason)
            )
        return True

    def _why_not(self, step: Step) -> str | None:
        """Why the step is not done; empty: nothing to tell; None: it is done."""
        for need in step.needs:
            result = self.results.get(need)
            if result is not None and result.outcome == "failed":
                return f"`{result.step.describe()}` failed"
        if self.failed:
            return "another step failed"
        if self.stale is not None:
            return ""
        return "" if step.target and step.target.machine in self.unchanged else None

    def _free(self, step: Step) -> None:
        """Gives back the slot that it frees: to the step that has waited longest, if any does."""
        name = self.holders.pop(step.frees, None) if step.frees is not None else None
        if name is None:
            return
        pool, self.freed[name] = self.pools[name], step.id
        while pool.queue:
            first = pool.queue.popleft()
            if not first.batch.over:
                self.holders[first.step.id] = name
                self._start(first)
                return
        pool.free += 1

    def _after(self, step: Step, turn: float) -> str | None:
        """The step whose end let this one start."""
        if turn > 0 and step.takes in self.freed:
            return self.freed[step.takes]
        needs = [need for need in step.needs if need in self.results]
        return max(needs, key=lambda need: self.results[need].ended, default=None)

    async def _act(self, step: Step, *, ready: float) -> None:
        started = anyio.current_time()
        turn = started - ready
        self.context.emit(
            StepStarted(
                scope=self._scope(step),
                description=step.describe(),
                verb=step.verb,
                after=self._after(step, turn),
                turn=turn,
                lasts=step.lasts,
            )
        )
        error: ScoreFlyError | None = None
        outcome: Outcome = "interrupted"
        value = None
        try:
            value = await carry_out(step, self.context)
            self.context.done(step, value)
            outcome = "done"
        except Unchanged as unchanged:
            outcome = "unchanged"
            self.unchanged.add(str(unchanged))
        except Outdated as change:
            outcome, self.stale = "unchanged", str(change)
        except ScoreFlyError as failure:
            outcome, error, self.failed = "failed", failure, True
            await self.context.add_last_lines(failure)
        finally:
            ended = anyio.current_time()
            self.results[step.id] = StepResult(
                step=step, outcome=outcome, started=started, ended=ended, error=error, value=value
            )
            self._tell(self.results[step.id])

    def _tell(self, result: StepResult) -> None:
        scope, description = self._scope(result.step), result.step.describe()
        if (error := result.error) is not None:
            self.context.emit(
                StepFailed(scope=scope, description=description, error=str(error), logs=error.logs)
            )
        elif result.outcome != "interrupted":
            self.context.emit(
                StepFinished(
                    scope=scope,
                    description=description,
                    seconds=result.ended - result.started,
                    changed=result.outcome == "done",
                )
            )

    def _scope(self, step: Step) -> Scope:
        target = step.target or Ref()
        made = self.context.results.get(target.step or "")
        machine = made.id if isinstance(made, MadeMachine) else target.machine
        return self.context.scope(group=step.group, machine=machine, step=step.id)


@define(kw_only=True)
class AppExecution(_Run):
    """The running deploy of one app."""

    plan: AppPlan
    """What is done to it, as far as that is known."""
    recovery: dict[str, StepResult] = field(factory=dict, init=False)
    """How the steps of the way back went."""

    async def outdated(self) -> str | None:
        """Why the app has to be planned anew; the machines that the plan made are gone then."""
        if self.stale is not None or not await gives_way(self.context, self.plan):
            return self.stale
        await self._go_back(taking_back(self.plan, self.context.results))
        failure = next((r.error for r in self.recovery.values() if r.error is not None), None)
        if failure is not None:
            raise failure
        return WHY

    async def begin_again(self) -> None:
        """Gives all leases back, and forgets what has to be done anew."""
        await self.context.leases.let_go()
        self.recovery.clear()
        done = {n: each for n, each in self.results.items() if each.outcome == "done"}
        kept = {name for name, each in done.items() if each.step.lasting}
        for results in (self.results, self.context.results):
            for name in results.keys() - kept:
                del results[name]
        self.known &= kept
        self.unchanged.clear()
        self.context.updated.clear()
        self.failed, self.stale = False, None

    async def finish(self) -> AppResult:
        """What is done when all steps ended: recovery after a failure, and the record."""
        if any(result.outcome == "failed" for result in self.results.values()):
            await self._recover()
        else:
            await leave(self.context)
        return self.so_far()

    def so_far(self) -> AppResult:
        """How far the plan came, with the release as Fly numbered it."""
        context, results = self.context, dict(self.results)
        return AppResult(
            plan=evolve(self.plan, release=context.release.numbered(self.plan.release)),
            results=results,
            recovery=dict(self.recovery),
            states=context.health.states(),
            addresses=_addresses(context.known_addresses, results.values()),
        )

    async def _recover(self) -> None:
        context, results = self.context, self.results
        outcomes = {step_id: result.outcome for step_id, result in results.items()}
        steps = plan_recovery(self.plan, outcomes, context.options.on_failure)
        if not steps:
            return
        first = next(result for result in results.values() if result.error is not None)
        context.emit(RollbackStarted(scope=context.scope(), reason=str(first.error)))
        await self._go_back(steps)
        complete = all(r.outcome != "failed" for r in self.recovery.values())
        context.emit(RollbackFinished(scope=context.scope(), complete=complete))

    async def _go_back(self, steps: Iterable[Step]) -> None:
        await _Run(context=self.context, results=self.recovery).carry_out(steps, {})


def _refuse_circle(needs: Mapping[str, Iterable[str]]) -> None:
    """Steps that need each other would keep a run, and its leases, waiting forever."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise PlanError(
            f"the plan cannot be carried out, because its steps wait for each other: {circle}",
            hint="please report this; another --strategy may work in the meantime",
        ) from error


def _addresses(known: set[str], results: Iterable[StepResult]) -> tuple[str, ...]:
    """By which the app is reached after the steps; those that were allocated are known."""
    done = [result.step for result in results if result.outcome == "done"]
    if any(isinstance(step, DestroyApp) for step in done):
        return ()
    released = {step.address for step in done if isinstance(step, ReleaseAddress)}
    return tuple(sorted(known - released - {""}))
