"""Desired apps → plans → what was done: planning a run, and carrying it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio
from attrs import asdict, define, evolve, field, frozen

from score_flyio.base.document import Document, Documented
from score_flyio.base.printable import one_line
from score_flyio.base.record import Record
from score_flyio.deploy.app_step import CreateApp
from score_flyio.deploy.execution.context import app_scope
from score_flyio.deploy.execution.execute import AppExecution
from score_flyio.deploy.execution.report import AppReport, Report, cut_short
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app, with_secrets
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.departures import departures, refuse_unasked
from score_flyio.deploy.planning.model import AppPlan, PlanSettings, fingerprint
from score_flyio.deploy.planning.plan import plan_app, platform_steps
from score_flyio.deploy.planning.plan_document import AppPlanDocument, TotalsDocument
from score_flyio.deploy.planning.secrets import waiting_secrets
from score_flyio.deploy.planning.shown import Totals, describe_app, plan_document, totals
from score_flyio.deploy.releases.known import of_machines, to_remember
from score_flyio.engine.ahead import problems_ahead
from score_flyio.engine.apply import Applying, stale
from score_flyio.engine.images import Images
from score_flyio.engine.inputs import Input
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.session import TOOL_VERSION, Session, StateRecorder
from score_flyio.errors import ConfigError, Problem, ScoreFlyError
from score_flyio.errors.failure import Failure
from score_flyio.errors.unwrap import unwrapped
from score_flyio.events import PlanReady, WarningRaised, WorkloadFinished
from score_flyio.fly.organization import Apps
from score_flyio.flytoml.names import READ_BY_ALL, looks_secret
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.model import ProjectState


@frozen(kw_only=True, eq=False, repr=False)
class Unplanned(Failure):
    """What cannot be planned, and why."""

    workload: str
    """Its name, or that of the app."""


@frozen(kw_only=True, eq=False, repr=False)
class PlanDocument(Document):
    """What a run would do."""

    empty: bool
    """Whether nothing would change."""
    totals: TotalsDocument
    """How much would change."""
    resources: tuple[str, ...]
    """Uids of the resources that provisioners are asked for."""
    new_resources: tuple[str, ...]
    """Those that were never provisioned."""
    apps: tuple[AppPlanDocument, ...]
    """What would be done to each app."""
    failures: tuple[Unplanned, ...]
    """What cannot be planned."""


@frozen(kw_only=True, eq=False, repr=False)
class Plan(Documented):
    """What a run would do; give it to `Engine.deploy` to do just that."""

    apps: tuple[AppPlan, ...]
    """A plan for each app that can be planned."""
    resources: tuple[str, ...] = ()
    """Uids of the resources that the run asks its provisioners for."""
    new_resources: tuple[str, ...] = ()
    """Those that were never provisioned: their outputs are known later."""
    failures: Mapping[str, ScoreFlyError] = field(factory=dict)
    """By workload or app: what cannot be planned, and why."""
    inputs: tuple[Input, ...] = field(default=(), repr=False)
    """What the plan was made from."""
    options: DeployOptions = field(factory=DeployOptions, repr=False)
    """How the apps are to be deployed."""

    @property
    def empty(self) -> bool:
        """Nothing would change, at Fly and among resources."""
        changes = self.failures or self.new_resources
        return not changes and all(app.empty for app in self.apps)

    def describe(self, *, show_calls: bool = False) -> str:
        """The plan as text for a person; secrets are named, never shown.

        `show_calls` adds the calls of the Machines API that each step makes.
        """
        lines = [
            f"+ provision {uid}: its outputs are known later"
            if uid in self.new_resources
            else f"ask again for {uid}: it is provisioned"
            for uid in self.resources
        ]
        lines += [describe_app(app, show_calls=show_calls) for app in self.apps]
        lines += [_refusal(label, error) for label, error in self.failures.items()]
        if self.new_resources or any(not app.empty for app in self.apps):
            lines.append(str(self.totals))
        return "\n".join(lines) or "nothing to do"

    @property
    def totals(self) -> Totals:
        """How much would change."""
        return totals(self.apps, len(self.new_resources))

    def document(self) -> PlanDocument:
        """For programs."""
        return PlanDocument(
            empty=self.empty,
            totals=self.totals.document(),
            resources=self.resources,
            new_resources=self.new_resources,
            apps=tuple(map(plan_document, self.apps)),
            failures=tuple(
                Unplanned(workload=label, **asdict(Failure.of(error), recurse=False))
                for label, error in self.failures.items()
            ),
        )


def _refusal(label: str, error: ScoreFlyError) -> str:
    """Why there are no steps for an app, a line a reason."""
    reasons = [str(problem) for problem in error.problems] or error.message.splitlines()
    told = any(problem.hint == error.hint for problem in error.problems)
    hint = [f"hint: {error.hint}"] if error.hint and not told else []
    lines = [f"{label}: refused, nothing would be done", *(f"  {r}" for r in (*reasons, *hint))]
    return "\n".join(map(one_line, lines))


@frozen(kw_only=True, eq=False, repr=False)
class Deployment(Record):
    """All apps of a run, and what is known of them."""

    session: Session
    recorder: StateRecorder
    ready: Preparation
    images: Images
    options: DeployOptions
    fingerprints: Mapping[str, str] = field(factory=dict)
    """What the apps looked like when the plan was made, where there was one before."""
    apps: Apps | None = field(init=False)
    """Where they are looked up, if they are many."""
    applying: Applying = field(init=False)

    @applying.default
    def _applying(self) -> Applying:
        return Applying(session=self.session, recorder=self.recorder)

    @apps.default
    def _apps(self) -> Apps | None:
        return self.session.apps(len(self.ready.inputs))

    async def run(self) -> Report:
        """Everything at once, as far as nothing waits for something else."""
        for notice in _open_options(self.options):
            self.session.emit(WarningRaised(message=str(notice), code=notice.code))
        works = [_Deploy(run=self, app=app) for app in self.ready.inputs]
        self._tell_refused()
        report = await self.applying.run(works, beside=self._provision)
        return self._with_refused(report)

    def so_far(self) -> Report:
        """What became of a run that was cut short."""
        return self._with_refused(self.applying.report(interrupted=True))

    async def _provision(self) -> None:
        """Failures are told to the workloads that need the resource, when they ask for it."""
        await self.ready.provision()

    def _tell_refused(self) -> None:
        for each in self.ready.refused:
            scope = app_scope(each.app, each.label)
            self.session.emit(
                WorkloadFinished(scope=scope, outcome="failed", error=each.error.message)
            )

    def _with_refused(self, report: Report) -> Report:
        refused = (
            AppReport(app=each.app, label=each.label, outcome="failed", failures=(each.error,))
            for each in self.ready.refused
        )
        files = self.ready.files
        done = (evolve(each, files=files.get(each.app, ())) for each in report.apps)
        return evolve(report, apps=(*refused, *done))

    async def plan(self) -> tuple[dict[str, AppPlan], dict[str, ScoreFlyError]]:
        """What `run` would do now, by app, and what cannot be planned, by label."""
        plans: dict[str, AppPlan] = {}
        failures = {each.label: each.error for each in self.ready.refused}

        async def one(app: str) -> None:
            try:
                with unwrapped():
                    plans[app] = await self._plan_ahead(app)
            except ScoreFlyError as error:
                failures[self.ready.inputs[app].workload or app] = error

        with unwrapped():
            async with anyio.create_task_group() as tasks:
                for app in self.ready.inputs:
                    tasks.start_soon(one, app)
        return {app: plans[app] for app in self.ready.inputs if app in plans}, failures

    async def _plan_ahead(self, app: str) -> AppPlan:
        desired = self.foreseen(app)
        self.ready.refuse_taken(desired)
        image = await self.images.expected(app)
        desired = evolve(desired, image=image, images=self.images.meant(app))
        wanted = self.wanted(app, desired)
        observed = await observe_app(self.session.client, app, wanted, self.apps)
        await self.refuse(app, desired, observed)
        org = await self.organization(observed)
        plan = await self.planned(desired, observed, org, to_look=True)
        notices = (*desired.notices, *_open_options(self.options))
        return evolve(plan, notes=(*map(str, notices), *plan.notes))

    def foreseen(self, app: str) -> DesiredApp:
        """The app without its image, as far as earlier runs tell what its resources give."""
        known = self.recorder.known(app)
        return settled(self.ready.expected(app, known.secrets), self.options)

    def wanted(self, app: str, desired: DesiredApp) -> Wanted:
        """Which parts of an app its plan depends on."""
        item: Input = self.ready.inputs[app]
        return Wanted(
            volumes=bool(desired.spec.mounts),
            addresses=desired.spec.http_service is not None or bool(desired.spec.services),
            secrets=item.may_have_secrets,
            certificates=item.may_have_hostnames,
        )

    async def organization(self, observed: ObservedApp) -> str:
        """The one that the app is made in; none where it is there already.

        Raises WrongPlace when the apps of the project are in another one.
        """
        if observed.app is None:
            found = await self.session.organization.slug()
            self.recorder.belongs(None, told=found)
            return found
        owner = observed.app.organization
        told = self.session.target.org
        self.recorder.belongs(owner.slug if owner else None, told=told)
        return ""

    async def refuse(self, app: str, desired: DesiredApp, observed: ObservedApp) -> None:
        """Raises PlanError or ConfigError where it is certain that the app cannot be deployed."""
        refuse_unasked(observed, departures(desired.spec, observed, self.options), self.options)
        region = self.session.default_region
        problems = await problems_ahead(
            self.session.client, desired, observed, self.options, default_region=region
        )
        if problems:
            raise ConfigError(problems=self.ready.inputs[app].located(problems, desired.spec))

    async def planned(
        self, desired: DesiredApp, observed: ObservedApp, org: str, *, to_look: bool = False
    ) -> AppPlan:
        """The plan of one app.

        Where it would leave machines as they are, secrets may wait that somebody staged for them:
        nothing but the list of secrets tells. A plan `to_look` at names them in any case.
        """
        settings = self.settings(desired.name)
        plan = plan_app(evolve(desired, org=org), observed, settings)
        if not (plan.unchanged or (to_look and observed.machines)):
            return plan
        full = await with_secrets(self.session.client, observed)
        if not any(waiting_secrets(machine, full) for machine in full.machines):
            return plan
        again = plan_app(evolve(desired, org=org), full, settings)
        return evolve(again, fingerprint=plan.fingerprint, seen=plan.seen)

    def settings(self, app: str) -> PlanSettings:
        """What the plan of an app depends on beside it."""
        return PlanSettings(
            options=self.options,
            known=self.recorder.known(app),
            new_id=self.session.new_id,
            tool_version=TOOL_VERSION,
            default_region=self.session.default_region or "",
        )


def nothing_done(inputs: Sequence[Input], target: str) -> Report:
    """The report of a run that was cut short before it did anything."""
    state = ProjectState()
    apps = (
        cut_short("", item.workload or item.app_in(state), None, zero=0.0, seconds=0.0)
        for item in inputs
    )
    return Report(interrupted=True, target=target, apps=tuple(apps))


@define(kw_only=True)
class _Deploy:
    """The deploy of one app."""

    run: Deployment
    app: str
    makes_release: bool = True
    desired: DesiredApp | None = None
    """The app with its resources and its image, once they are there."""

    @property
    def label(self) -> str:
        return self.run.ready.inputs[self.app].workload or self.app

    @property
    def options(self) -> DeployOptions:
        return self.run.options

    def _outline(self) -> DesiredApp:
        return settled(self.run.ready.outlines[self.app], self.options)

    async def observe(self) -> ObservedApp:
        """The app as it is; what is certain to fail does so before anything is made for nothing."""
        run, outline = self.run, self._outline()
        if run.ready.run is not None:
            run.ready.run.check(run.ready.uids(self.app).values())
        wanted = run.wanted(self.app, outline)
        observed = await observe_app(run.session.client, self.app, wanted, run.apps)
        await run.refuse(self.app, outline, observed)
        planned = run.fingerprints.get(self.app)
        if planned is not None and planned != fingerprint(observed):
            raise stale(self.app)
        await run.recorder.found(self.app, to_remember(of_machines(observed.machines)))
        return observed

    async def carry_out(
        self, applying: Applying, execution: AppExecution, observed: ObservedApp
    ) -> AppPlan:
        """What is known of the app is planned before anything is made for it.

        Where it waits for resources or for a build, the app and its addresses come meanwhile.
        """
        run = self.run
        org = await run.organization(observed)
        if not run.ready.uids(self.app) and not run.images.is_built(self.app):
            desired = await self._complete()
            plan = await run.planned(desired, observed, org)
            await self._do(plan, desired, applying, execution, observed)
            return plan
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
                desired = await self._complete()
                plan = await run.planned(desired, observed, org)
                await self._do(plan, desired, applying, execution, observed)
            except ScoreFlyError as error:
                failure = error
        if failure is not None:
            raise failure
        return plan

    async def once_more(self, applying: Applying, execution: AppExecution) -> AppPlan:
        """The app is looked at and planned anew, unless the plan was given."""
        run, desired = self.run, self.desired
        if desired is None or self.app in run.fingerprints:
            raise stale(self.app)
        observed = await observe_app(run.session.client, self.app, run.wanted(self.app, desired))
        plan = await run.planned(desired, observed, await run.organization(observed))
        await self._do(plan, desired, applying, execution, observed)
        return plan

    async def _do(
        self,
        plan: AppPlan,
        desired: DesiredApp,
        applying: Applying,
        execution: AppExecution,
        observed: ObservedApp,
    ) -> None:
        texts = tuple(step.describe() for step in plan.steps)
        self.run.session.emit(PlanReady(scope=execution.context.scope(), steps=texts))
        execution.context.secret_names = plan.secret_names
        execution.context.secret_values = tuple(desired.secrets.values())
        await applying.steps(execution, plan, observed, desired.spec)

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


def settled(desired: DesiredApp, options: DeployOptions) -> DesiredApp:
    """The app with what the options add to it; its image comes later."""
    return evolve(desired, spec=with_options(desired.spec, options))


def with_options(spec: AppSpec, options: DeployOptions) -> AppSpec:
    """The app with what the command line adds to it."""
    changes: dict[str, Any] = {}
    if options.region:
        changes["primary_region"] = options.region
    if options.env:
        changes["env"] = {**spec.env, **options.env}
    if options.files:
        changes["files"] = (*spec.files, *options.files)
    return evolve(spec, **changes) if changes else spec


def _open_options(options: DeployOptions) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            message=f"{name} {READ_BY_ALL}",
            path=("--env",),
            hint="set it with `secrets set`",
            code="looks_secret",
        )
        for name in options.env
        if looks_secret(name)
    )
