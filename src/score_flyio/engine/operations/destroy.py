"""Takes apps away with all that belongs to them, then the resources that only they used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from score_flyio.base.document import Document, Documented
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.execution.report import AppReport, Report
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.planning.removal import removal_steps
from score_flyio.deploy.planning.shown import describe_app
from score_flyio.engine.apply import Work, apply
from score_flyio.engine.operations.apps import AppRef, no_such_app
from score_flyio.engine.operations.change import Ask, Operation, ask, operation
from score_flyio.engine.session import Session
from score_flyio.errors import ResourceError
from score_flyio.errors.unwrap import at_once
from score_flyio.resources.deprovision import Deprovisioning
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState

EVERYTHING: Final = Wanted(volumes=True, addresses=True)


@frozen(kw_only=True)
class AppDestruction(Document):
    """An app that goes."""

    app: str
    workload: str
    """How it is called: the workload, or the app."""
    steps: tuple[str, ...]
    """What is done, for people."""


@frozen(kw_only=True)
class DestructionDocument(Document):
    """What was taken away."""

    apps: tuple[AppDestruction, ...]
    missing: tuple[str, ...]
    """Apps that were not there."""
    resources: tuple[str, ...]
    """Uids of resources that only these apps used."""


@frozen(kw_only=True)
class Destroyed(Document):
    """What is told beside the report."""

    destroyed: DestructionDocument


@frozen(kw_only=True)
class ToDestroy(Document):
    """What is told beside the plans of apps."""

    empty: bool
    """Whether there is nothing to do, for resources too."""
    missing: tuple[str, ...]
    """Apps that are not there."""
    deprovision: tuple[str, ...]
    """Uids of resources that only these apps use."""


@frozen(kw_only=True)
class Destruction(Documented):
    """What will be taken away."""

    works: tuple[Work, ...]
    """The plans of the apps."""
    missing: tuple[AppRef, ...]
    """Apps that are not there (any more)."""
    resources: tuple[ResourceUid, ...]
    """Those that only the apps' workloads use."""
    keep_volumes: bool = False
    """Whether volumes stay, and the apps they belong to."""
    report: Report | None = None
    """How it went; None where it was only looked at."""

    @property
    def empty(self) -> bool:
        """There is nothing to do."""
        return not self.works and not self.resources

    def describe(self) -> str:
        """What goes, for a person to agree to."""
        plans = (describe_app(work.plan) for work in self.works)
        return "\n".join((*plans, *self.remarks)) or "nothing to destroy"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is beside the plans of apps, a line each."""
        missing = (f"{ref}: there is no such app" for ref in self.missing)
        return (*missing, *(f"deprovision {uid}" for uid in self.resources))

    def document(self) -> DestructionDocument:
        """For programs."""
        return DestructionDocument(
            apps=tuple(
                AppDestruction(
                    app=work.plan.app,
                    workload=work.plan.label,
                    steps=tuple(s.describe() for s in work.plan.steps if s.id != "hold"),
                )
                for work in self.works
            ),
            missing=tuple(ref.app for ref in self.missing),
            resources=tuple(map(str, self.resources)),
        )


async def destroy(
    session: Session,
    refs: Sequence[AppRef],
    *,
    keep_volumes: bool = False,
    before: Ask[Destruction] | None = None,
    dry_run: bool = False,
) -> Destruction:
    """Deletes the apps with all that belongs to them; resources that other workloads use stay.

    Resources go only when all apps that may use them are gone. Raises UsageError for an app that is
    not there, and that neither the project nor a fly.toml knows of.
    """
    async with operation(session, "destroy", *refs, dry_run=dry_run) as do:
        plan = await _plan(session, refs, do.recorder.state, keep_volumes=keep_volumes)
        if dry_run:
            return plan
        await ask(before, plan)
        report = await _carry_out(do, plan)
        do.outcome = report.outcome
        return evolve(plan, report=report)


async def _plan(
    session: Session, refs: Sequence[AppRef], state: ProjectState, *, keep_volumes: bool
) -> Destruction:
    found = await at_once(lambda ref: observe_app(session.client, ref.app, EVERYTHING), refs)
    apps = tuple(zip(refs, found, strict=True))
    missing = tuple(ref for ref, observed in apps if not observed.exists)
    unknown = [ref for ref in missing if not (ref.declared or ref.app in state.deployments)]
    if unknown:
        raise await no_such_app(session, *unknown)
    works = [_work(session, ref, observed, keep_volumes=keep_volumes) for ref, observed in apps]
    gone = {ref.workload for ref in refs}
    users = {uid: set(state.users(uid)) for uid in sorted(state.resources)}
    return Destruction(
        works=tuple(work for work in works if work.plan.steps),
        missing=missing,
        resources=tuple(uid for uid, those in users.items() if those and those <= gone),
        keep_volumes=keep_volumes,
    )


async def _carry_out(do: Operation, destruction: Destruction) -> Report:
    recorder, state = do.recorder, do.recorder.state
    report, _ = await apply(do.session, recorder, destruction.works)
    gone = {app.app for app in report.apps if app.app and not app.failures}
    gone |= {ref.app for ref in destruction.missing}
    if not destruction.keep_volumes and gone & set(state.deployments):
        for app in gone:
            state.deployments.pop(app, None)
        await recorder.saver.save()
    if report.failures or not destruction.resources:
        return report
    registry, emit = do.session.registry(state), do.session.emit
    work = Deprovisioning(state=state, store=recorder.store, registry=registry, emit=emit)
    done = AppReport(label="resources", outcome="done")
    try:
        await work.all(destruction.resources)
    except ResourceError as error:
        done = AppReport.failed("resources", error)
    if report.outcome != "unchanged" and not done.failures:
        return report
    return evolve(report, apps=(*report.apps, done))


def _work(session: Session, ref: AppRef, observed: ObservedApp, *, keep_volumes: bool) -> Work:
    steps = removal_steps(observed, keep_volumes=keep_volumes)

    async def again() -> Work:
        new = await observe_app(session.client, ref.app, EVERYTHING)
        return _work(session, ref, new, keep_volumes=keep_volumes)

    return Work(plan=session.plan(ref.app, ref.label, *steps), observed=observed, again=again)
