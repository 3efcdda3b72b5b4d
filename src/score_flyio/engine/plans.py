"""Desired apps → plans: what a run would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from score_flyio.base.document import Document, Documented
from score_flyio.base.printable import one_line
from score_flyio.base.record import evolve, field, frozen, values
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app, with_secrets
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.departures import departures, refuse_unasked
from score_flyio.deploy.planning.model import AppPlan, PlanSettings
from score_flyio.deploy.planning.plan import plan_app
from score_flyio.deploy.planning.secrets import waiting_secrets
from score_flyio.deploy.planning.shown import (
    AppPlanDocument,
    Totals,
    describe_app,
    plan_document,
    totals,
)
from score_flyio.engine.ahead import problems_ahead
from score_flyio.engine.images import Images
from score_flyio.engine.inputs import Input
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.session import TOOL_VERSION, Session, StateRecorder
from score_flyio.errors import ConfigError, Failure, Problem, ScoreFlyError
from score_flyio.errors.unwrap import at_once, unwrapped
from score_flyio.fly.organization import Apps
from score_flyio.flytoml.names import READ_BY_ALL, looks_secret


@frozen(kw_only=True)
class Unplanned(Failure):
    """What cannot be planned, and why."""

    workload: str
    """Its name, or that of the app."""


@frozen(kw_only=True)
class PlanDocument(Document):
    """What a run would do."""

    empty: bool
    totals: Totals
    resources: tuple[str, ...]
    """Uids of the resources that provisioners are asked for."""
    new_resources: tuple[str, ...]
    """Those that were never provisioned."""
    apps: tuple[AppPlanDocument, ...]
    failures: tuple[Unplanned, ...]


@frozen(kw_only=True)
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
            else f"refresh {uid}: it is provisioned already"
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
            totals=self.totals,
            resources=self.resources,
            new_resources=self.new_resources,
            apps=tuple(map(plan_document, self.apps)),
            failures=tuple(
                Unplanned(workload=label, **values(Failure.of(error)))
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


@frozen(kw_only=True)
class Planning:
    """All apps of a run, and what is known of them."""

    recorder: StateRecorder
    ready: Preparation
    images: Images
    apps: Apps | None = field(init=False)
    """Where they are looked up, if they are many."""

    @apps.default
    def _apps(self) -> Apps | None:
        return self.session.apps(len(self.ready.inputs))

    @property
    def session(self) -> Session:
        return self.images.session

    @property
    def options(self) -> DeployOptions:
        return self.images.options

    async def plan(self, inputs: Sequence[Input]) -> Plan:
        plans: dict[str, AppPlan] = {}
        ready = self.ready
        failures = {each.label: each.error for each in ready.refused}

        async def one(app: str) -> None:
            try:
                with unwrapped():
                    plans[app] = await self._plan_ahead(app)
            except ScoreFlyError as error:
                failures[ready.outlines[app].label] = error

        await at_once(one, ready.inputs)
        return Plan(
            apps=tuple(plans[app] for app in ready.inputs if app in plans),
            resources=tuple(map(str, ready.resources.order)),
            new_resources=tuple(map(str, ready.never_provisioned)),
            failures=failures,
            inputs=tuple(inputs),
            options=self.options,
        )

    async def _plan_ahead(self, app: str) -> AppPlan:
        desired = self.foreseen(app)
        self.ready.refuse_taken(desired)
        image = await self.images.expected(app)
        desired = evolve(desired, image=image, images=self.images.meant(app))
        observed = await self.observe(app, desired)
        self.recorder.met(app, observed.machines)
        await self.refuse(app, desired, observed)
        org = await self.organization(observed)
        plan = await self.planned(desired, observed, org, to_look=True)
        notices = (*desired.notices, *open_options(self.options))
        return evolve(plan, notes=(*map(str, notices), *plan.notes))

    def foreseen(self, app: str) -> DesiredApp:
        """The app without its image, as far as earlier runs tell what its resources give."""
        known = self.recorder.known(app)
        return settled(self.ready.expected(app, known.secrets), self.options)

    async def observe(self, app: str, desired: DesiredApp) -> ObservedApp:
        """The app as it is, together with the others of the run."""
        new = not self.recorder.known(app).releases
        wanted = self.wanted(app, desired)
        return await observe_app(self.session.client, app, wanted, self.apps, may_be_new=new)

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
        """The one that the app is made in; none where it is there already. Raises WrongPlace."""
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
        if problems := await problems_ahead(self.session, desired, observed, self.options):
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
        return PlanSettings(
            options=self.options,
            known=self.recorder.known(app),
            new_id=self.session.new_id,
            tool_version=TOOL_VERSION,
            default_region=self.session.default_region or "",
        )


def settled(desired: DesiredApp, options: DeployOptions) -> DesiredApp:
    """The app with what the options add to it; its image comes later."""
    spec = desired.spec
    added = evolve(
        spec,
        primary_region=options.region or spec.primary_region,
        env={**spec.env, **options.env},
        files=(*spec.files, *options.files),
    )
    return evolve(desired, spec=added)


def open_options(options: DeployOptions) -> tuple[Problem, ...]:
    """What `--env` gives to everybody although its name says that it is secret."""
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
