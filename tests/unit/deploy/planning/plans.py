"""Plans of small apps, and what a platform looks like once such a plan is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from attrs import evolve

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.app_step import AllocateAddress
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.metadata import COUNTED, without_marks
from score_flyio.deploy.model import DesiredApp, KnownApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan, PlanSettings
from score_flyio.deploy.planning.plan import plan_app
from score_flyio.deploy.step import CreateMachine, SetMetadata, Step, UpdateMachine
from score_flyio.fly.present import LAUNCH_KEY
from score_flyio.flytoml import read_fly_toml

TOOL = "score-flyio/test"
SERVICE = "[http_service]\ninternal_port = 8080\n"
CHECK = "[checks.alive]\ntype = 'tcp'\nport = 9000\n"


def wanted(
    text: str = SERVICE, *, image: str = "nginx:1", secrets: Mapping[str, str] | None = None
) -> DesiredApp:
    head = f"app = 'web'\nprimary_region = 'iad'\n[build]\nimage = '{image}'\n"
    document = read_fly_toml(head + text, file="fly.toml")
    assert document.spec is not None, document.problems
    return DesiredApp(
        name="web",
        org="personal",
        spec=document.spec,
        image=image,
        secrets={name: Secret(value) for name, value in (secrets or {}).items()},
        files=NO_FILES,
    )


def planned(
    desired: DesiredApp,
    observed: ObservedApp | None = None,
    *,
    known: KnownApp | None = None,
    default_region: str = "",
    **options: Any,
) -> AppPlan:
    numbers = count(1)
    settings = PlanSettings(
        options=DeployOptions(**{"smoke_checks": False} | options),
        known=known or KnownApp(salt="salt"),
        new_id=lambda: f"ID{next(numbers)}",
        tool_version=TOOL,
        default_region=default_region,
    )
    return plan_app(desired, observed or ObservedApp(name="web"), settings)


def machine(name: str, config: models.FlyMachineConfig, **facts: Any) -> models.Machine:
    """A machine that runs well, unless `facts` say otherwise."""
    checks = [models.CheckStatus(name=check, status="passing") for check in config.checks or {}]
    given: dict[str, Any] = {
        "id": name,
        "state": "started",
        "region": "iad",
        "instance_id": f"{name}-1",
        "config": config,
        "checks": checks,
        "host_status": "ok",
    }
    return models.Machine(**given | facts)


def carried_out(plan: AppPlan, **facts: Any) -> ObservedApp:
    """A platform on which all creates of a plan are done, with their marks, and nothing else is."""
    marks = {
        step.target.step: {step.key: step.value}
        for step in plan.steps
        if isinstance(step, SetMetadata)
    }
    machines = [
        made(step, marks.get(step.id, {}), **facts)
        for step in plan.steps
        if isinstance(step, CreateMachine)
    ]
    addresses = [
        models.IPAssignment(ip="2a09::1" if step.kind == "v6" else "66.241.1.1", shared=True)
        for step in plan.steps
        if isinstance(step, AllocateAddress)
    ]
    return ObservedApp(
        name="web",
        app=models.App(name="web"),
        machines=tuple(sorted(machines, key=lambda m: m.id or "")),
        addresses=tuple(addresses),
    )


def made(step: CreateMachine, marks: Mapping[str, str], **facts: Any) -> models.Machine:
    """The machine that a create makes; it is called like the step."""
    config = step.request.config or models.FlyMachineConfig()
    found = {**(config.metadata or {}), LAUNCH_KEY: step.launch_id, **marks}
    config = evolve(config, metadata=found)
    if step.standby_for:
        names = [target.machine or target.step or "" for target in step.standby_for]
        config = evolve(config, standbys=names)
    state = "stopped" if step.request.skip_launch else "started"
    return machine(step.id, config, **{"state": state} | facts)


def launched(desired: DesiredApp, **facts: Any) -> ObservedApp:
    return carried_out(planned(desired), **facts)


def half_launched(desired: DesiredApp) -> ObservedApp:
    """A platform on which a launch ended after its first machine."""
    observed = launched(desired)
    first = observed.machines[0]
    config = without_marks(first.config or models.FlyMachineConfig(), {COUNTED})
    return evolve(observed, machines=(evolve(first, config=config),))


def changed(observed: ObservedApp, name: str, **facts: Any) -> ObservedApp:
    """The same platform, with other facts about one machine."""
    machines = tuple(evolve(m, **facts) if m.id == name else m for m in observed.machines)
    return evolve(observed, machines=machines)


def marked(observed: ObservedApp, name: str, **marks: str) -> ObservedApp:
    """The same platform, with more metadata on one machine."""
    found = next(m for m in observed.machines if m.id == name)
    config = found.config or models.FlyMachineConfig()
    config = evolve(config, metadata={**(config.metadata or {}), **marks})
    return changed(observed, name, config=config)


def ids(plan: AppPlan) -> list[str]:
    return [step.id for step in plan.steps]


def step(plan: AppPlan, name: str) -> Any:
    found: Step = next(each for each in plan.steps if each.id == name)
    return found


def updates(plan: AppPlan) -> list[UpdateMachine]:
    return [each for each in plan.steps if isinstance(each, UpdateMachine)]


def acyclic(plan: AppPlan) -> bool:
    """Whether no step waits, however far, for itself."""
    needs = {each.id: set(each.needs) for each in plan.steps}
    done: set[str] = set()
    while left := needs.keys() - done:
        ready = {name for name in left if needs[name] & needs.keys() <= done}
        if not ready:
            return False
        done |= ready
    return True
