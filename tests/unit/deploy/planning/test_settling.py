"""What an interrupted run left, before an operation goes on from there."""

from __future__ import annotations

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import CANARY, GROUP, STANDS_FOR
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.step import AwaitHealthy
from score_flyio.flytoml.spec import AppSpec, DeploySection
from score_flyio.flytoml.values import Duration
from tests.unit.deploy.planning.plans import machine


def there(name: str, group: str, **marks: str) -> models.Machine:
    return machine(name, models.FlyMachineConfig(metadata={GROUP: group, **marks}))


def left(*machines: models.Machine) -> ObservedApp:
    return ObservedApp(name="web", machines=machines)


def test_what_is_left_of_a_group_goes_only_where_it_begins_anew() -> None:
    alone = there("s", "first")
    config = evolve(alone.config or models.FlyMachineConfig(), standbys=["gone"])
    standby = evolve(alone, config=config, state="stopped")
    canary = there("c", "second", **{CANARY: "true"})
    observed = left(standby, there("a", "second"), canary)
    for begins, stays in (((), ["a", "s"]), (("second",), ["a", "s"]), (("first",), ["a"])):
        kept, plan = settle(observed, DeployOptions(), begins=begins)
        assert sorted(m.id or "" for m in kept.machines) == stays
        gone = [step.id for step in plan.steps]
        assert gone == [f"destroy:{m}" for m in ("s", "c") if m not in stays]


def test_the_times_of_the_definition_count() -> None:
    spec = AppSpec(deploy=DeploySection(wait_timeout=Duration.parse("2m")))
    observed = left(there("a", "app"), there("b", "app", **{STANDS_FOR: "a"}))
    for definition, seconds in ((spec, 120.0), (None, 300.0)):
        _, plan = settle(observed, DeployOptions(), definition)
        waits = [step.timeout for step in plan.steps if isinstance(step, AwaitHealthy)]
        assert waits == [seconds]
