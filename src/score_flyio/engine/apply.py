"""Plans → reports → records: carries out what is to be done to apps, whatever it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import anyio

from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.app_step import CreateApp
from score_flyio.deploy.execution.context import ContextSettings
from score_flyio.deploy.execution.execute import AppExecution, AppResult, app_execution
from score_flyio.deploy.execution.report import INTERRUPTED, AppReport, Report, app_report
from score_flyio.deploy.execution.room import ask_for_room
from score_flyio.deploy.execution.scouts import Scouts
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.releases.made import (
    all_groups,
    changes_machines,
    ending,
    leaving,
    made_release,
    notice_of,
)
from score_flyio.engine.session import Session, StateRecorder
from score_flyio.errors import Failure, ScoreFlyError, StalePlan
from score_flyio.errors.unwrap import unwrapped
from score_flyio.events import PlanReady, Scope, WorkloadFinished
from score_flyio.flytoml.spec import AppSpec

MOST_PLANS = 5
"""How often an app is planned anew that others keep changing."""


class AppWork(Protocol):
    """What is done to one app."""

    @property
    def app(self) -> str: ...

    @property
    def label(self) -> str:
        """The workload, or the app where there is none."""
        ...

    @property
    def options(self) -> DeployOptions: ...

    @property
    def makes_release(self) -> bool:
        """Whether what it changes is remembered as a release."""
        ...

    @property
    def groups_leave(self) -> bool:
        """Whether a group that it leaves without machines is no longer part of the app."""
        ...

    @property
    def whole(self) -> bool:
        """Whether it brings the app to all that its file says."""
        ...

    async def observe(self) -> ObservedApp:
        """The app as it is before anything changes."""
        ...

    async def carry_out(self, doing: Doing, observed: ObservedApp) -> None: ...

    async def once_more(self, doing: Doing) -> None:
        """The same for an app that somebody changed meanwhile: it is looked at and planned anew.

        Raises StalePlan where only a person can say whether it is still to be done.
        """
        ...


@frozen(kw_only=True)
class Work:
    """A plan that is ready, for an app that was looked at."""

    plan: AppPlan
    observed: ObservedApp
    options: DeployOptions = field(factory=DeployOptions)
    definition: AppSpec | None = None
    """What Fly is told of the release that the plan makes; None: it is told of none."""
    makes_release: bool = True
    groups_leave: bool = True
    whole: bool = False
    again: Callable[[], Awaitable[Work]] | None = None
    """Looks at the app and plans anew; None: what was planned is done to what was seen, or not."""

    @property
    def app(self) -> str:
        return self.plan.app

    @property
    def label(self) -> str:
        return self.plan.label

    async def observe(self) -> ObservedApp:
        return self.observed

    async def carry_out(self, doing: Doing, observed: ObservedApp) -> None:
        await doing.steps(self.plan, observed, self.definition)

    async def once_more(self, doing: Doing) -> None:
        if self.again is None:
            raise stale(self.app)
        new = await self.again()
        await new.carry_out(doing, new.observed)


def stale(app: str, why: str = "") -> StalePlan:
    """The error for an app that somebody changed, where it is not planned anew."""
    return StalePlan(
        f"app {app} changed since the plan was made{': ' if why else ''}{why}",
        hint="make a new plan and look at it again",
    )


@frozen(kw_only=True)
class Doing:
    """One app while its steps are carried out."""

    session: Session
    recorder: StateRecorder
    work: AppWork
    execution: AppExecution

    async def all(self, observed: ObservedApp) -> AppResult:
        """Does the work until the plan fits the app that it was carried out on."""
        work, execution = self.work, self.execution
        execution.context.saw(observed)
        await work.carry_out(self, observed)
        for left in reversed(range(MOST_PLANS)):
            why = await execution.outdated()
            if why is None:
                break
            await execution.begin_again()
            if work.options.on_change == "refuse" or not left:
                raise stale(work.app, why)
            execution.context.warn(f"{why}: app {work.app} is planned anew", "planned_anew")
            await work.once_more(self)
        result = await execution.finish()
        execution.context.release.end(*ending(result))
        return result

    async def steps(self, plan: AppPlan, observed: ObservedApp, definition: AppSpec | None) -> None:
        """Does the steps of a plan that were not done yet; Fly is told of the release meanwhile."""
        execution = self.execution
        execution.plan = plan
        execution.context.saw(observed)
        texts = tuple(step.describe() for step in plan.steps)
        self.session.emit(PlanReady(scope=execution.context.scope(), steps=texts))
        for note in plan.notes:
            execution.context.warn(note, "plan_note")
        if definition is not None:
            execution.context.release.expect(
                plan.release,
                notice_of(plan, definition, execution.context.options),
                app_is_new=any(isinstance(step, CreateApp) for step in plan.steps),
                certain=changes_machines(plan),
            )
            if going := leaving(plan, self.recorder.of(plan.app)):
                await self.recorder.leaving(plan.app, going)
        owner = partial(self.session.owner, observed.app)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_for_room, execution.context, plan.steps, owner)
            await execution.carry_out(plan.steps, plan.pools)


@define(kw_only=True)
class Applying:
    """One run over several apps; one that fails never stops another."""

    session: Session
    recorder: StateRecorder
    results: dict[str, AppResult] = field(factory=dict)
    """By app, how the steps went of each that ended."""
    _scouts: Scouts = field(factory=Scouts, init=False)
    _reports: dict[str, AppReport] = field(factory=dict, init=False)
    _begun: dict[str, AppExecution] = field(factory=dict, init=False)
    """By app, what is being done."""
    _works: tuple[AppWork, ...] = field(default=(), init=False)
    _start: float = field(default=0.0, init=False)

    async def run(
        self,
        works: Sequence[AppWork],
        beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> Report:
        """All of it at once, and what goes on `beside`, on which work may wait."""
        self._works, self._start = tuple(works), anyio.current_time()
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    if beside is not None:
                        tasks.start_soon(beside)
                    for work in works:
                        tasks.start_soon(self._app, work)
        except anyio.get_cancelled_exc_class():
            for work in self._works:
                if work.app not in self._reports:
                    self._over(work, interrupted=True)
            raise
        return self.report()

    def report(self, error: Failure | None = None) -> Report:
        """How each app ended that did."""
        return Report(
            apps=tuple(self._reports[w.app] for w in self._works if w.app in self._reports),
            seconds=anyio.current_time() - self._start,
            target=self.session.target.name,
            error=error,
        )

    def _over(
        self, work: AppWork, *, failure: ScoreFlyError | None = None, interrupted: bool = False
    ) -> None:
        """Accounts for an app; `interrupted`: that a signal kept from its end."""
        begun = self._begun.get(work.app)
        nothing = AppResult(plan=AppPlan.of_nothing(work.app, work.label))
        result = evolve(begun.so_far() if begun else nothing, error=failure)
        seconds = anyio.current_time() - self._start
        report = app_report(result, zero=self._start, seconds=seconds, interrupted=interrupted)
        self.results[work.app], self._reports[work.app] = result, report
        error = report.failures[0].message if report.failures else report.account
        self.session.emit(
            WorkloadFinished(
                scope=Scope.of_app(work.app, work.label),
                outcome=report.outcome,
                error=error,
                seconds=report.seconds,
            )
        )

    async def _app(self, work: AppWork) -> None:
        failure: ScoreFlyError | None = None
        try:
            with unwrapped():
                await self._apply(work)
        except ScoreFlyError as error:
            failure = error
        self._over(work, failure=failure)

    async def _apply(self, work: AppWork) -> None:
        session, recorder = self.session, self.recorder
        observed = await work.observe()
        settings = ContextSettings(
            client=session.client,
            app=work.app,
            label=work.label,
            options=work.options,
            secrets_set=recorder.secrets_set,
            emit=session.emit,
            scouts=self._scouts,
            salt=recorder.state.salt,
        )
        plan = AppPlan.of_nothing(work.app, work.label, observed.machines)
        async with app_execution(settings, plan) as execution:
            self._begun[work.app] = execution
            doing = Doing(session=session, recorder=recorder, work=work, execution=execution)
            result = await doing.all(observed)
        if work.makes_release:
            await self._remember(work, result)

    async def _remember(self, work: AppWork, result: AppResult) -> None:
        """Remembers the release that a plan made, or found made, if nothing failed."""
        app = result.plan.app
        known = self.recorder.of(app)
        at = self.session.now()
        groups = all_groups(result) if work.whole and not work.options.process_groups else ()
        record = made_release(
            result, known, at=at, groups_leave=work.groups_leave, groups_after=groups
        )
        if result.failures:
            return
        if record is not None:
            await self.recorder.released(app, record)
        else:
            await self.recorder.none_released(app, whole=work.whole, groups=groups)


async def apply(
    session: Session, recorder: StateRecorder, works: Sequence[Work]
) -> tuple[Report, Mapping[str, AppResult]]:
    """Carries out plans; also gives how their steps went, by app.

    Meanwhile and afterwards, `session.so_far` says how far it came.
    """
    applying = Applying(session=session, recorder=recorder)
    session.so_far = lambda: applying.report(INTERRUPTED)
    return await applying.run(works), applying.results
