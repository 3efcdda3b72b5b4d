"""A plan that is kept in a file: carried out later as it was looked at, or not at all.

It has what a plan is made from and what it does as digests, thing by thing, so that it can name
what changed. Values are not in it, least of all secret ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from score_flyio.base.record import field, frozen, values
from score_flyio.deploy.app_step import SetSecrets
from score_flyio.deploy.compare import leaves
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.shown import tells
from score_flyio.deploy.step import CreateMachine, RevertMachine, Step, UpdateMachine
from score_flyio.engine.inputs import FlyTomlApp, Input, ScoreApp
from score_flyio.engine.plans import Plan
from score_flyio.errors import ConfigError, StalePlan
from score_flyio.flytoml.write import to_json

FORMAT: Final = 1
"""Raised when what is kept changes its meaning."""
_AGAIN: Final = "make a new plan and look at it again"


@frozen(kw_only=True)
class KeptApp:
    """One app of the plan."""

    seen: Mapping[str, str]
    """What Fly had of it."""
    steps: Mapping[str, str]
    """Digest of each step that changes something, by its description."""


@frozen(kw_only=True)
class KeptPlan:
    """What has to be the same for the plan to be carried out."""

    target: str
    """Where it goes, as `Target.name` tells it."""
    settings: Mapping[str, Any] = field(repr=False)
    """The options that it was made with, as whoever made it reads them."""
    inputs: Mapping[str, str]
    """Digest of each input, by file."""
    resources: tuple[str, ...]
    """Uids of the resources that are asked for."""
    apps: Mapping[str, KeptApp]
    """By name."""

    @classmethod
    def of(cls, plan: Plan, target: str, settings: Mapping[str, Any]) -> KeptPlan:
        """What there is to keep of a plan in which nothing failed."""
        return cls(
            target=target,
            settings=settings,
            inputs=dict(map(_input, plan.inputs)),
            resources=plan.resources,
            apps={app.app: _kept(app) for app in plan.apps},
        )

    @classmethod
    def read(cls, text: str, file: str) -> KeptPlan:
        """From the text of a file. Raises ConfigError for one that is no plan."""
        from cattrs import BaseValidationError, structure

        try:
            document = json.loads(text)
            if document["score_flyio_plan"] != FORMAT:
                raise ConfigError(
                    f"{file}: a plan of format {document['score_flyio_plan']}, which this "
                    f"version does not know",
                    hint=_AGAIN,
                )
            return structure(document, cls)
        except (ValueError, KeyError, TypeError, BaseValidationError) as error:
            raise ConfigError(
                f"{file}: it is not a plan of score-flyio",
                hint="make one with plan --out FILE.plan",
            ) from error

    def text(self) -> str:
        document = {
            "score_flyio_plan": FORMAT,
            **values(self),
            "settings": dict(sorted(self.settings.items())),
            "apps": {name: values(app) for name, app in self.apps.items()},
        }
        return json.dumps(document, indent=1) + "\n"

    def check_target(self, target: str) -> None:
        """Raises StalePlan where it was made for another place."""
        if target != self.target:
            raise StalePlan(
                f"the plan was made for {self.target}, and this run goes to {target}", hint=_AGAIN
            )

    def check_inputs(self, inputs: Sequence[Input]) -> None:
        """Raises StalePlan where an input is not as it was."""
        _refuse(_changes(self.inputs, dict(map(_input, inputs)), str))

    def check(self, plan: Plan) -> None:
        """Raises StalePlan where Fly or the steps are not as they were."""
        then, now = self.apps, {app.app: _kept(app) for app in plan.apps}
        found = list(_changes(dict.fromkeys(then, ""), dict.fromkeys(now, ""), "app {}".format))
        if set(self.resources) != set(plan.resources):
            found.append("other resources are asked for")
        for app in sorted(then.keys() & now.keys()):
            found += _changes(then[app].seen, now[app].seen, f"app {app}: {{}}".format)
            step = f"app {app}: the step `{{}}`".format
            found += _changes(then[app].steps, now[app].steps, step)
        _refuse(found)


def _refuse(changes: Iterator[str] | Sequence[str]) -> None:
    if found := list(changes):
        raise StalePlan("\n".join(["what the plan was made from changed:", *found]), hint=_AGAIN)


def _changes(
    then: Mapping[str, str], now: Mapping[str, str], told: Callable[[str], str]
) -> Iterator[str]:
    for name in sorted(then.keys() | now.keys()):
        if name not in now:
            yield f"{told(name)} is gone"
        elif name not in then:
            yield f"{told(name)} is new"
        elif then[name] != now[name]:
            yield f"{told(name)} is another one now"


def _kept(plan: AppPlan) -> KeptApp:
    steps: dict[str, str] = {}
    for step in filter(tells, plan.steps):
        told = step.describe()
        name = told if told not in steps else f"{told} ({step.id})"
        steps[name] = _digest(_facts(step))
    return KeptApp(seen=plan.seen, steps=steps)


def _facts(step: Step) -> list[Any]:
    """All that a step does, but for ids that every plan makes anew."""
    facts: list[Any] = [type(step).__name__, step.id, step.describe()]
    match step:
        case CreateMachine() | UpdateMachine() | RevertMachine():
            facts.append(sorted(leaves(step.config).items()))
        case SetSecrets():
            facts.append(sorted(step.changes.items()))
    return facts


def _input(item: Input) -> tuple[str, str]:
    match item:
        case ScoreApp():
            return item.loaded.file, _digest(item.loaded.document)
        case FlyTomlApp():
            return item.document.file or item.app, _digest([item.app, to_json(item.spec)])
        case _:
            return item.workload or type(item).__name__, ""


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
