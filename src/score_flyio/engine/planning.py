"""What a deploy would do: a fresh reading of Fly, compared with what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
from attrs import define, evolve, field, frozen

from score_flyio.base.unwrap import unwrapped
from score_flyio.deploy.model import DesiredApp, KnownApp
from score_flyio.deploy.observe import observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan, PlanSettings
from score_flyio.deploy.planning.plan import describe_app, plan_app, plan_json
from score_flyio.engine.deployable import Deployable, image_of, with_options
from score_flyio.engine.deployment import wanted_parts
from score_flyio.engine.session import TOOL_VERSION, Session
from score_flyio.errors import ScoreFlyError
from score_flyio.flytoml.spec import AppSpec
from score_flyio.score.placeholders import PENDING
from score_flyio.score.resources import Outputs


@frozen(kw_only=True)
class Plan:
    """What a run would do; give it to `Engine.deploy` to do just that."""

    apps: tuple[AppPlan, ...]
    resources: tuple[str, ...] = ()
    """Uids of the resources that the run asks its provisioners for."""
    new_resources: tuple[str, ...] = ()
    """Those that were never provisioned: their outputs are known later."""
    failures: Mapping[str, ScoreFlyError] = field(factory=dict)
    """By workload or app: what cannot be planned, and why."""
    inputs: tuple[Any, ...] = field(default=(), repr=False)
    options: DeployOptions = field(factory=DeployOptions, repr=False)

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
            f"provision {uid}: its outputs are known later"
            if uid in self.new_resources
            else f"ask again for {uid}: it is provisioned"
            for uid in self.resources
        ]
        lines += [describe_app(app, show_calls=show_calls) for app in self.apps]
        lines += [f"{label}: {error.message}" for label, error in self.failures.items()]
        return "\n".join(lines) or "nothing to do"

    def to_json(self) -> dict[str, Any]:
        """The plan as one JSON document."""
        return {
            "empty": self.empty,
            "resources": list(self.resources),
            "new_resources": list(self.new_resources),
            "apps": [plan_json(app) for app in self.apps],
            "failures": [
                {"workload": label, "code": error.code, "message": error.message}
                for label, error in self.failures.items()
            ],
        }


@define(kw_only=True)
class Planner:
    """Plans all apps of a run at once."""

    session: Session
    options: DeployOptions
    known: Callable[[str], KnownApp]
    outputs: Callable[[Deployable], Mapping[str, Outputs]]
    """What is known of a workload's resources from earlier runs."""
    plans: dict[str, AppPlan] = field(factory=dict)
    failures: dict[str, ScoreFlyError] = field(factory=dict)

    async def plan(self, deployables: Sequence[Deployable]) -> None:
        """Fills `plans` and `failures`, by app."""
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                for deployable in deployables:
                    tasks.start_soon(self._app, deployable)

    async def _app(self, deployable: Deployable) -> None:
        try:
            with unwrapped():
                self.plans[deployable.app] = await self._plan(deployable)
        except ScoreFlyError as error:
            self.failures[deployable.app] = error

    async def _plan(self, deployable: Deployable) -> AppPlan:
        prepared = deployable.preview(self.outputs(deployable))
        known = self.known(deployable.app)
        spec = without_known_secrets(with_options(prepared.spec, self.options), known)
        image = image_of(deployable, spec, self.options)
        wanted = wanted_parts(deployable, spec)
        observed = await observe_app(self.session.client, deployable.app, wanted)
        desired = DesiredApp(
            name=deployable.app,
            org="" if observed.exists else await self.session.organization.slug(),
            spec=spec,
            image=image,
            secrets=prepared.secrets,
            hostnames=prepared.hostnames,
            workload=deployable.workload,
            files=prepared.files,
        )
        settings = PlanSettings(
            options=self.options,
            known=known,
            new_id=self.session.new_id,
            tool_version=TOOL_VERSION,
        )
        plan = plan_app(desired, observed, settings)
        return evolve(plan, notes=(*prepared.warnings, *plan.notes))


def without_known_secrets(spec: AppSpec, known: KnownApp) -> AppSpec:
    """Variables whose values are known later and were secret before are expected to stay so."""
    kept = {
        name: value
        for name, value in spec.env.items()
        if PENDING not in value or name not in known.secrets
    }
    return spec if len(kept) == len(spec.env) else evolve(spec, env=kept)
