"""Carries out plans for apps that exist, and reports on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
from attrs import frozen

from score_flyio.base.unwrap import unwrapped
from score_flyio.deploy.execution.context import ContextSettings, Recorder, app_scope, scope_of
from score_flyio.deploy.execution.execute import AppResult, app_execution
from score_flyio.deploy.execution.report import AppReport, Report, app_report, outcome_of
from score_flyio.deploy.execution.room import ask_for_room
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.releases.made import changes_machines, ending, notice_of, numbered
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Scope, WarningRaised, WorkloadFinished
from score_flyio.flytoml.spec import AppSpec
from score_flyio.operations.session import NothingToRemember, Session


@frozen(kw_only=True)
class Work:
    """A plan and how it is carried out."""

    plan: AppPlan
    options: DeployOptions
    definition: AppSpec | None = None
    """What Fly is told of the release that the plan makes; None: it is told of none."""
    known_volumes: frozenset[str] = frozenset()
    known_addresses: frozenset[str] = frozenset()


async def carry_out(
    session: Session, works: Sequence[Work], *, recorder: Recorder | None = None
) -> tuple[Report, Mapping[str, AppResult]]:
    """All plans at once, one app never stopping another; also gives the results by app."""
    start = anyio.current_time()
    reports: dict[str, AppReport] = {}
    results: dict[str, AppResult] = {}

    async def one(work: Work) -> None:
        app = work.plan.app
        try:
            with unwrapped():
                results[app] = await _carry_out(session, work, recorder or NothingToRemember())
        except ScoreFlyError as error:
            reports[app] = _failed(work.plan, error)
        else:
            seconds = anyio.current_time() - start
            reports[app] = app_report(results[app], zero=start, seconds=seconds)
        session.emit(_finished(work.plan, reports[app]))

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            for work in works:
                tasks.start_soon(one, work)
    report = Report(
        apps=tuple(reports[work.plan.app] for work in works),
        seconds=anyio.current_time() - start,
        target=session.target.name,
    )
    return report, results


async def _carry_out(session: Session, work: Work, recorder: Recorder) -> AppResult:
    settings = ContextSettings(
        client=session.client,
        app=work.plan.app,
        label=work.plan.label,
        options=work.options,
        recorder=recorder,
        emit=session.emit,
    )
    for note in work.plan.notes:
        session.emit(WarningRaised(scope=scope_of(settings), message=note, code="plan_note"))
    async with app_execution(settings) as execution:
        context = execution.context
        context.known_volumes.update(work.known_volumes)
        context.known_addresses.update(work.known_addresses)
        if work.definition is not None:
            context.release.expect(
                work.plan.release,
                notice_of(work.plan, work.definition, work.options),
                certain=changes_machines(work.plan),
            )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_ask_for_room, session, work.plan, context.scope())
            await execution.carry_out(work.plan.steps, work.plan.pools)
        result = numbered(await execution.finish(work.plan), context.release.recorded)
        context.release.end(*ending(result))
        return result


async def _ask_for_room(session: Session, plan: AppPlan, scope: Scope) -> None:
    org = session.target.org or "personal"
    await ask_for_room(session.client, plan.steps, org=org, scope=scope, emit=session.emit)


def _finished(plan: AppPlan, report: AppReport) -> WorkloadFinished:
    return WorkloadFinished(
        scope=app_scope(plan.app, plan.label),
        outcome=report.outcome,
        error=report.failures[0].message if report.failures else None,
        seconds=report.seconds,
    )


def _failed(plan: AppPlan, error: ScoreFlyError) -> AppReport:
    return AppReport(
        app=plan.app,
        label=plan.label,
        outcome=outcome_of((error,), changed=False),
        failures=(error,),
    )
