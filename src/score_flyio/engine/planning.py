"""What a deploy would do, for a person, for a program, and to be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.plan import describe_app, plan_json
from score_flyio.engine.inputs import Input
from score_flyio.errors import ScoreFlyError


@frozen(kw_only=True)
class Plan:
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
