"""One deploy run: the resources and all apps of it, each starting as soon as it can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
from attrs import field, frozen

from score_flyio.deploy.desired.addresses import public_url
from score_flyio.deploy.execution.context import app_scope
from score_flyio.deploy.execution.execute import AppExecution
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan, PlanSettings, fingerprint
from score_flyio.deploy.planning.plan import empty_plan, plan_app, platform_steps
from score_flyio.deploy.releases.known import of_machines, to_remember
from score_flyio.engine.apply import Applying
from score_flyio.engine.deployable import Deployable, Prepared, image_of, with_options
from score_flyio.engine.recording import StateRecorder
from score_flyio.engine.session import TOOL_VERSION, Session
from score_flyio.errors import ResourceError, ScoreFlyError, StalePlan
from score_flyio.events import PlanReady, WarningRaised
from score_flyio.flytoml.spec import AppSpec
from score_flyio.resources.run import ResourceRun
from score_flyio.score.resources import Outputs, ResourceUid

OnPrepared = Callable[[Deployable, Prepared], Awaitable[None]]


@frozen(kw_only=True)
class Deployment:
    """What a run is made of."""

    session: Session
    options: DeployOptions
    recorder: StateRecorder
    on_prepared: OnPrepared
    """Called when an app is known in full, before anything of it changes."""
    resources: ResourceRun | None = None
    uids: Mapping[str, Mapping[str, ResourceUid]] = field(factory=dict)
    """Workload to resource name to uid."""
    fingerprints: Mapping[str, str] = field(factory=dict)
    """What the apps looked like when the plan was made, where there was one before."""

    async def run(self, deployables: Sequence[Deployable]) -> Report:
        """Everything at once, as far as nothing waits for something else."""
        works = [_Deploy(run=self, deployable=deployable) for deployable in deployables]
        applying = Applying(session=self.session, recorder=self.recorder)
        return await applying.run(works, beside=self._provision)

    async def _provision(self) -> None:
        """Failures are told to the workloads that need the resource, when they ask for it."""
        if self.resources is None:
            return
        try:
            await self.resources.run()
        except ResourceError:
            return


@frozen(kw_only=True)
class _Deploy:
    """The deploy of one app."""

    run: Deployment
    deployable: Deployable
    makes_release: bool = True

    @property
    def app(self) -> str:
        return self.deployable.app

    @property
    def label(self) -> str:
        return self.deployable.workload or self.deployable.app

    @property
    def options(self) -> DeployOptions:
        return self.run.options

    @property
    def url(self) -> str | None:
        return public_url(self._draft())

    def _draft(self) -> AppSpec:
        return with_options(self.deployable.draft(), self.options)

    def _uids(self) -> Mapping[str, ResourceUid]:
        return self.run.uids.get(self.deployable.workload or "", {})

    async def observe(self) -> ObservedApp:
        """The app as it is; what is certain to fail does so before anything is made for nothing."""
        run, draft = self.run, self._draft()
        image_of(self.deployable, draft, self.options)
        if run.resources is not None:
            run.resources.check(self._uids().values())
        wanted = wanted_parts(self.deployable, draft)
        observed = await observe_app(run.session.client, self.app, wanted)
        planned = run.fingerprints.get(self.app)
        if planned is not None and planned != fingerprint(observed):
            raise StalePlan(
                f"app {self.app} changed since the plan was made",
                hint="make a new plan and look at it again",
            )
        await run.recorder.found(self.app, to_remember(of_machines(observed.machines)))
        return observed

    async def carry_out(
        self, applying: Applying, execution: AppExecution, observed: ObservedApp
    ) -> AppPlan:
        """The app and its addresses come while its resources are provisioned; then the rest."""
        org = "" if observed.exists else await self.run.session.organization.slug()
        first = self._desired(Prepared(spec=self._draft(), files=NO_FILES), org, image="")
        failure: ScoreFlyError | None = None
        plan = empty_plan(first, observed)
        async with anyio.create_task_group() as tasks:
            steps = platform_steps(first, observed, self.options)
            tasks.start_soon(execution.carry_out, steps, {})
            try:
                prepared = await self._prepared()
                plan = self._plan(prepared, observed, org)
                execution.context.secret_names = plan.secret_names
                spec = with_options(prepared.spec, self.options)
                await applying.steps(execution, plan, observed, spec)
            except ScoreFlyError as error:
                failure = error
        if failure is not None:
            raise failure
        return plan

    def _desired(self, prepared: Prepared, org: str, *, image: str) -> DesiredApp:
        return DesiredApp(
            name=self.app,
            org=org,
            spec=with_options(prepared.spec, self.options),
            image=image,
            secrets=prepared.secrets,
            hostnames=prepared.hostnames,
            workload=self.deployable.workload,
            files=prepared.files,
        )

    def _plan(self, prepared: Prepared, observed: ObservedApp, org: str) -> AppPlan:
        session = self.run.session
        image = image_of(self.deployable, prepared.spec, self.options)
        plan = plan_app(
            self._desired(prepared, org, image=image),
            observed,
            PlanSettings(
                options=self.options,
                known=self.run.recorder.known(self.app),
                new_id=session.new_id,
                tool_version=TOOL_VERSION,
            ),
        )
        steps = tuple(step.describe() for step in plan.steps)
        scope = app_scope(self.app, self.label)
        for note in plan.notes:
            session.emit(WarningRaised(scope=scope, message=note, code="plan_note"))
        session.emit(PlanReady(scope=scope, steps=steps))
        return plan

    async def _prepared(self) -> Prepared:
        """Waits for the resources of the app, and for nothing else."""
        outputs: dict[str, Outputs] = {}
        uids, resources = self._uids(), self.run.resources
        if resources is not None and uids:
            found = await resources.outputs(tuple(uids.values()))
            outputs = {name: found[uid] for name, uid in uids.items()}
        prepared = self.deployable.prepare(outputs)
        for warning in prepared.warnings:
            scope = app_scope(self.app, self.label)
            self.run.session.emit(WarningRaised(scope=scope, message=warning))
        await self.run.on_prepared(self.deployable, prepared)
        return prepared


def wanted_parts(deployable: Deployable, spec: AppSpec) -> Wanted:
    """Which parts of an app its plan depends on."""
    return Wanted(
        volumes=bool(spec.mounts),
        addresses=spec.http_service is not None or bool(spec.services),
        secrets=bool(deployable.secret_names()),
        certificates=deployable.has_hostnames(),
    )
