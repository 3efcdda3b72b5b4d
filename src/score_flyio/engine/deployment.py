"""One deploy run: the resources and all apps of it, each starting as soon as it can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
from attrs import define, field, frozen

from score_flyio._version import __version__
from score_flyio.base.unwrap import unwrapped
from score_flyio.deploy.desired.addresses import public_url
from score_flyio.deploy.execution.context import ContextSettings, scope_of
from score_flyio.deploy.execution.execute import AppExecution, app_execution
from score_flyio.deploy.execution.report import AppReport, Report, app_report, outcome_of
from score_flyio.deploy.execution.room import ask_for_room
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.group_plan import PlanSettings
from score_flyio.deploy.planning.plan import (
    AppPlan,
    empty_plan,
    fingerprint,
    plan_app,
    platform_steps,
)
from score_flyio.deploy.releases.known import of_machines, to_remember
from score_flyio.deploy.releases.made import (
    changes_machines,
    ending,
    made_release,
    notice_of,
    numbered,
)
from score_flyio.deploy.step import CreateApp
from score_flyio.engine.deployable import Deployable, Prepared, image_of, with_options
from score_flyio.engine.recording import StateRecorder
from score_flyio.errors import ResourceError, ScoreFlyError, StalePlan
from score_flyio.events import Event, PlanReady, Scope, WarningRaised, WorkloadFinished
from score_flyio.fly.client import FlyClient
from score_flyio.flytoml.spec import AppSpec
from score_flyio.resources.run import ResourceRun
from score_flyio.score.resources import Outputs, ResourceUid

TOOL_VERSION = f"score-flyio/{__version__}"
"""Written into machines' metadata where flyctl writes its own version."""

OnPrepared = Callable[[Deployable, Prepared], Awaitable[None]]


@frozen(kw_only=True)
class DeploymentSettings:
    """What a run is made of."""

    client: FlyClient
    options: DeployOptions
    recorder: StateRecorder
    emit: Callable[[Event], None]
    now: Callable[[], float]
    """Seconds since the epoch."""
    new_id: Callable[[], str]
    organization: Callable[[], Awaitable[str]]
    """The organization for new apps; asked only when there is one."""
    on_prepared: OnPrepared
    """Called when an app is known in full, before anything of it changes."""
    resources: ResourceRun | None = None
    uids: Mapping[str, Mapping[str, ResourceUid]] = field(factory=dict)
    """Workload to resource name to uid."""
    fingerprints: Mapping[str, str] = field(factory=dict)
    """What the apps looked like when the plan was made, where there was one before."""


@define(kw_only=True)
class Deployment:
    """Provisions and deploys; one failing app never stops another."""

    settings: DeploymentSettings
    reports: dict[str, AppReport] = field(factory=dict)

    async def run(self, deployables: Sequence[Deployable], target: str) -> Report:
        """Everything at once, as far as nothing waits for something else."""
        start = anyio.current_time()
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                if self.settings.resources is not None:
                    tasks.start_soon(self._provision, self.settings.resources)
                for deployable in deployables:
                    tasks.start_soon(self._app, deployable, start)
        reports = tuple(self.reports[item.app] for item in deployables)
        return Report(apps=reports, seconds=anyio.current_time() - start, target=target)

    async def _provision(self, resources: ResourceRun) -> None:
        """Failures are told to the workloads that need the resource, when they ask for it."""
        try:
            await resources.run()
        except ResourceError:
            return

    async def _app(self, deployable: Deployable, zero: float) -> None:
        start = anyio.current_time()
        try:
            with unwrapped():
                report = await self._deploy(deployable, zero)
        except ScoreFlyError as error:
            report = AppReport(
                app=deployable.app,
                label=deployable.workload or deployable.app,
                outcome=outcome_of((error,), changed=False),
                seconds=anyio.current_time() - start,
                failures=(error,),
            )
        self.reports[deployable.app] = report
        self.settings.emit(
            WorkloadFinished(
                scope=scope_of(self._context_settings(deployable)),
                outcome=report.outcome,
                error=report.failures[0].message if report.failures else None,
                seconds=report.seconds,
            )
        )

    async def _deploy(self, deployable: Deployable, zero: float) -> AppReport:
        settings, start = self.settings, anyio.current_time()
        draft = with_options(deployable.draft(), settings.options)
        image_of(deployable, draft, settings.options)
        if settings.resources is not None:  # before anything is created for nothing
            settings.resources.check(settings.uids.get(deployable.workload or "", {}).values())
        wanted = wanted_parts(deployable, draft)
        observed = await observe_app(settings.client, deployable.app, wanted)
        self._check_fresh(observed)
        await settings.recorder.found(deployable.app, to_remember(of_machines(observed.machines)))
        async with app_execution(self._context_settings(deployable)) as execution:
            plan = await self._carry_out(deployable, draft, observed, execution)
            result = await execution.finish(plan)
            result = numbered(result, execution.context.release.recorded)
            execution.context.release.end(*ending(result))
        if not result.failures:
            known = settings.recorder.releases(deployable.app)
            record = made_release(result, known, at=settings.now())
            if record is not None:
                await settings.recorder.released(deployable.app, record)
        return app_report(
            result,
            zero=zero,
            seconds=anyio.current_time() - start,
            url=public_url(draft),
        )

    def _check_fresh(self, observed: ObservedApp) -> None:
        planned = self.settings.fingerprints.get(observed.name)
        if planned is not None and planned != fingerprint(observed):
            raise StalePlan(
                f"app {observed.name} changed since the plan was made",
                hint="make a new plan and look at it again",
            )

    def _context_settings(self, deployable: Deployable) -> ContextSettings:
        return ContextSettings(
            client=self.settings.client,
            app=deployable.app,
            label=deployable.workload or deployable.app,
            options=self.settings.options,
            recorder=self.settings.recorder,
            emit=self.settings.emit,
            salt=self.settings.recorder.state.salt,
        )

    async def _carry_out(
        self,
        deployable: Deployable,
        draft: AppSpec,
        observed: ObservedApp,
        execution: AppExecution,
    ) -> AppPlan:
        """The app and its addresses come while its resources are provisioned; then the rest."""
        settings, context = self.settings, execution.context
        context.secrets_before = observed.secrets
        context.known_volumes.update(volume.id or "" for volume in observed.volumes)
        context.known_addresses.update(address.ip or "" for address in observed.addresses)
        org = "" if observed.exists else await settings.organization()
        first = self._desired(deployable, Prepared(spec=draft, files=NO_FILES), org, image="")
        failure: ScoreFlyError | None = None
        plan = empty_plan(first, observed)
        async with anyio.create_task_group() as tasks:
            steps = platform_steps(first, observed, settings.options)
            tasks.start_soon(execution.carry_out, steps, {})
            try:
                prepared = await self._prepared(deployable)
                plan = self._plan(deployable, prepared, observed, org)
                context.secret_names = plan.secret_names
                spec = with_options(prepared.spec, settings.options)
                context.release.expect(
                    plan.release,
                    notice_of(plan, spec, settings.options),
                    app_is_new=any(isinstance(step, CreateApp) for step in plan.steps),
                    certain=changes_machines(plan),
                )
                tasks.start_soon(self._ask_for_room, plan, observed, org, context.scope())
                await execution.carry_out(plan.steps, plan.pools)
            except ScoreFlyError as error:
                failure = error
        if failure is not None:
            raise failure
        return plan

    async def _ask_for_room(
        self, plan: AppPlan, observed: ObservedApp, org: str, scope: Scope
    ) -> None:
        owner = observed.app.organization if observed.app else None
        slug = org or (owner.slug if owner else None) or "personal"
        client, emit = self.settings.client, self.settings.emit
        await ask_for_room(client, plan.steps, org=slug, scope=scope, emit=emit)

    def _desired(
        self, deployable: Deployable, prepared: Prepared, org: str, *, image: str
    ) -> DesiredApp:
        return DesiredApp(
            name=deployable.app,
            org=org,
            spec=with_options(prepared.spec, self.settings.options),
            image=image,
            secrets=prepared.secrets,
            hostnames=prepared.hostnames,
            workload=deployable.workload,
            files=prepared.files,
        )

    def _plan(
        self, deployable: Deployable, prepared: Prepared, observed: ObservedApp, org: str
    ) -> AppPlan:
        settings = self.settings
        image = image_of(deployable, prepared.spec, settings.options)
        plan = plan_app(
            self._desired(deployable, prepared, org, image=image),
            observed,
            PlanSettings(
                options=settings.options,
                known=settings.recorder.known(deployable.app),
                new_id=settings.new_id,
                tool_version=TOOL_VERSION,
            ),
        )
        steps = tuple(step.describe() for step in plan.steps)
        settings.emit(PlanReady(scope=scope_of(self._context_settings(deployable)), steps=steps))
        return plan

    async def _prepared(self, deployable: Deployable) -> Prepared:
        """Waits for the resources of the app, and for nothing else."""
        outputs: dict[str, Outputs] = {}
        uids = self.settings.uids.get(deployable.workload or "", {})
        if self.settings.resources is not None and uids:
            found = await self.settings.resources.outputs(tuple(uids.values()))
            outputs = {name: found[uid] for name, uid in uids.items()}
        prepared = deployable.prepare(outputs)
        for warning in prepared.warnings:
            self.settings.emit(
                WarningRaised(scope=scope_of(self._context_settings(deployable)), message=warning)
            )
        await self.settings.on_prepared(deployable, prepared)
        return prepared


def wanted_parts(deployable: Deployable, spec: AppSpec) -> Wanted:
    """Which parts of an app its plan depends on."""
    return Wanted(
        volumes=bool(spec.mounts),
        addresses=spec.http_service is not None or bool(spec.services),
        secrets=bool(deployable.secret_names()),
        certificates=deployable.has_hostnames(),
    )
