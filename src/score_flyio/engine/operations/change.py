"""One operation on one app: observe → plan → tell → carry out → remember."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from attrs import evolve, field, frozen

from score_flyio.deploy.execution.execute import AppResult
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.plan import describe_app
from score_flyio.engine.apply import Work, apply
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.recording import StateRecorder
from score_flyio.engine.session import Session


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

    @property
    def plan(self) -> AppPlan:
        """The steps."""
        return self.work.plan

    def describe(self) -> str:
        """The steps, for a person."""
        return describe_app(self.plan)


Before: TypeAlias = Callable[[Change], None]
"""Is told what will be done before anything changes; raises where it is not to be done."""


async def carry_out(
    session: Session,
    recorder: StateRecorder,
    change: Change,
    *,
    before: Before | None,
    dry_run: bool,
) -> Change:
    """Does it, unless it is only looked at; gives how it went."""
    if dry_run:
        return change
    if before is not None:
        before(change)
    report, results = await apply(session, recorder, [change.work])
    return evolve(change, report=report, result=results.get(change.ref.app))


async def change_unremembered(
    session: Session,
    look: Callable[[], Awaitable[Change]],
    *,
    before: Before | None,
    dry_run: bool,
) -> Change:
    """The same for what the project state has no part in, so that it need not be locked."""
    async with session.memory("", to_look=True) as recorder:
        return await carry_out(session, recorder, await look(), before=before, dry_run=dry_run)
