"""A run: plans of desired apps, carried out while resources and images still come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import anyio

from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.app_step import CreateApp
from score_flyio.deploy.execution.report import INTERRUPTED, AppReport, Report
from score_flyio.deploy.execution.standing import NOTHING_CHANGED
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.observe import observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import fingerprint
from score_flyio.deploy.planning.plan import platform_steps
from score_flyio.deploy.releases.known import of_machines, to_remember
from score_flyio.engine.apply import Applying, Doing, stale
from score_flyio.engine.inputs import Input
from score_flyio.engine.plans import Planning, open_options, settled
from score_flyio.errors import ScoreFlyError
from score_flyio.errors.unwrap import unwrapped
from score_flyio.events import Scope, WarningRaised, WorkloadFinished
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import FLY, ProjectState

if TYPE_CHECKING:
    from score_flyio.resources.run import ResourceRun


@frozen(kw_only=True)
class Deployment(Planning):
    """All apps of a run, planned and carried out as far as each of them is known."""

    fingerprints: Mapping[str, str] = field(factory=dict)
    """What the apps looked like when the plan was made, where there was one before."""

    @cached_property
    def applying(self) -> Applying:
        return Applying(session=self.session, recorder=self.recorder)

    @cached_property
    def _deploys(self) -> Mapping[str, _Deploy]:
        """By app."""
        return {app: _Deploy(run=self, app=app) for app in self.ready.inputs}

    async def run(self) -> Report:
        """Everything at once, as far as nothing waits for something else."""
        if self.ready.run is not None and self.ready.state.target != FLY:
            self._tell_what_is_real(self.ready.run)
        for notice in open_options(self.options):
            self.session.emit(WarningRaised(message=str(notice), code=notice.code))
        for each in self.ready.refused:
            scope, error = Scope.of_app(each.app, each.label), each.error.message
            self.session.emit(WorkloadFinished(scope=scope, outcome="failed", error=error))
        works = tuple(self._deploys.values())
        return self._with_refused(await self.applying.run(works, beside=self._provision))

    def _tell_what_is_real(self, run: ResourceRun) -> None:
        """Programs may not know that the target is no Fly, and whoever connects may not either."""
        target, emit = self.session.target, self.session.emit
        if run.outside:
            message = "for resources of this target, these run and may make real things: "
            emit(WarningRaised(message=message + ", ".join(run.outside), code="programs_run"))
        if not target.emulated:
            return
        data = target.real_postgres
        real = [uid for uid in run.servers if data is not None and uid.type == "postgres"]
        played = [uid for uid in run.servers if uid not in real]
        if real:
            message = (
                "a PostgreSQL of this computer, which runs as long as this command and has its "
                f"data in {data}, serves {', '.join(map(str, real))}"
            )
            emit(WarningRaised(message=message, code="servers_real"))
        if played:
            message = "no server runs in an emulated machine, so nothing can connect to "
            message += ", ".join(map(str, played))
            emit(WarningRaised(message=message, code="servers_emulated"))

    def so_far(self) -> Report:
        return self._with_refused(self.applying.report(INTERRUPTED))

    async def _provision(self) -> None:
        """Makes nothing that is needed only by apps which cannot be deployed."""
        needed_by = self.ready.needed_by()

        async def admitted(uid: ResourceUid) -> bool:
            for app in needed_by[uid]:
                await self._deploys[app].judged.wait()
                if self._deploys[app].deployable:
                    return True
            return False

        await self.ready.provision(admitted)

    def _with_refused(self, report: Report) -> Report:
        refused = (
            AppReport.failed(each.label, each.error, app=each.app or None)
            for each in self.ready.refused
        )
        files = self.ready.files
        done = (evolve(each, files=files.get(each.app or "", ())) for each in report.apps)
        return evolve(report, apps=(*refused, *done))


def nothing_done(inputs: Sequence[Input], target: str) -> Report:
    """The report of a run that was cut short before it did anything."""
    state = ProjectState()
    apps = (
        AppReport(
            label=item.workload or item.app_in(state),
            outcome="interrupted",
            account=NOTHING_CHANGED,
        )
        for item in inputs
    )
    return Report(error=INTERRUPTED, target=target, apps=tuple(apps))


@define(kw_only=True)
class _Deploy:
    """The deploy of one app."""

    run: Deployment
    app: str
    makes_release: bool = True
    groups_leave: bool = True
    whole: bool = True
    desired: DesiredApp | None = None
    """The app with its resources and its image, once they are there."""
    judged: anyio.Event = field(factory=anyio.Event, init=False)
    """When it is known whether it is `deployable`."""
    deployable: bool = field(default=False, init=False)
    """Whether nothing speaks against it."""

    @property
    def label(self) -> str:
        return self.run.ready.outlines[self.app].label

    @property
    def options(self) -> DeployOptions:
        return self.run.options

    def _outline(self) -> DesiredApp:
        return settled(self.run.ready.outlines[self.app], self.options)

    async def observe(self) -> ObservedApp:
        """The app as it is; what is certain to fail does so before anything is made for nothing."""
        run = self.run
        try:
            outline = self._outline()
            observed = await run.observe(self.app, outline)
            await run.refuse(self.app, outline, observed)
            planned = run.fingerprints.get(self.app)
            if planned is not None and planned != fingerprint(observed):
                raise stale(self.app)
            self.deployable = True
        finally:
            self.judged.set()
        run.recorder.met(self.app, observed.machines)
        await run.recorder.found(self.app, to_remember(of_machines(observed.machines)))
        return observed

    async def carry_out(self, doing: Doing, observed: ObservedApp) -> None:
        """What is known of the app is planned before anything is made for it.

        Where it waits for resources or for a build, the app and its addresses come meanwhile.
        """
        run, execution = self.run, doing.execution
        org = await run.organization(observed)
        if not run.ready.uids(self.app) and not run.images.is_built(self.app):
            await self._do(doing, await self._complete(), observed, org)
            return
        if not observed.machines:
            await run.planned(run.foreseen(self.app), observed, org)
        first = evolve(self._outline(), org=org, image="", secrets={}, files=NO_FILES)
        failure: ScoreFlyError | None = None
        steps = platform_steps(first, observed, run.settings(self.app))
        # An image can be pushed to an app that is there only.
        await execution.carry_out([step for step in steps if isinstance(step, CreateApp)], {})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(execution.carry_out, steps, {})
            try:
                await self._do(doing, await self._complete(), observed, org)
            except ScoreFlyError as error:
                failure = error
        if failure is not None:
            raise failure

    async def once_more(self, doing: Doing) -> None:
        """The app is looked at and planned anew, unless the plan was given."""
        run, desired = self.run, self.desired
        if desired is None or self.app in run.fingerprints:
            raise stale(self.app)
        observed = await observe_app(run.session.client, self.app, run.wanted(self.app, desired))
        org = await run.organization(observed)
        await self._do(doing, desired, observed, org)

    async def _do(self, doing: Doing, desired: DesiredApp, observed: ObservedApp, org: str) -> None:
        """Plans the app that is known in full, and does it."""
        plan = await self.run.planned(desired, observed, org)
        doing.execution.context.secret_names = plan.secret_names
        doing.execution.context.secret_values = tuple(desired.secrets.values())
        await doing.steps(plan, observed, desired.spec)

    async def _complete(self) -> DesiredApp:
        """The app with its resources and its image, which come at the same time."""
        found: dict[str, DesiredApp] = {}

        async def resolve() -> None:
            found[self.app] = settled(await self.run.ready.resolve(self.app), self.options)

        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(resolve)
                image = await self.run.images.ready(self.app)
        images = self.run.images.meant(self.app)
        self.desired = evolve(found[self.app], image=image, images=images)
        return self.desired
