"""Plans as people and programs read them: equal machines folded, and totals."""
# ruff: noqa: RUF001  # the sign of multiplication is meant

from __future__ import annotations

from attrs import evolve

from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.shown import Totals, actions, describe_app, plan_json, totals
from score_flyio.deploy.step import CreateMachine, DestroyMachine, StartMachine, Step, StopMachine
from tests.unit.deploy.planning.plans import CHECK, SERVICE, launched, planned, wanted


def with_steps(plan: AppPlan, *steps: Step) -> AppPlan:
    return evolve(plan, steps=steps)


def created(plan: AppPlan) -> CreateMachine:
    (step, *_) = (each for each in plan.steps if isinstance(each, CreateMachine))
    return step


def test_equal_machines_in_several_regions_are_one_action() -> None:
    plan = planned(wanted())
    first = created(plan)
    steps = [
        evolve(first, id=str(n), request=evolve(first.request, region=region))
        for n, region in enumerate(["iad", "fra", "iad"])
    ]
    text = describe_app(with_steps(plan, *steps))
    assert text.splitlines()[1] == "  + create machine of group app × 3 (iad × 2, fra × 1)"
    assert text.count("image: ") == 1
    (action,) = plan_json(with_steps(plan, *steps))["actions"]
    assert (action["action"], action["count"]) == ("create", 3)
    assert action["regions"] == {"iad": 2, "fra": 1}
    assert {"path": "image", "before": None, "after": "nginx:1"} in action["fields"]
    assert action["steps"] == ["0", "1", "2"]


def test_machines_that_differ_are_not_folded() -> None:
    plan = planned(wanted())
    first = created(plan)
    other = evolve(first.config, image="nginx:9")
    steps = (first, evolve(first, id="2", request=evolve(first.request, config=other)))
    assert [len(each.steps) for each in actions(with_steps(plan, *steps))] == [1, 1]


def test_of_a_thousand_machines_a_few_are_named() -> None:
    plan = planned(wanted())
    steps = [
        DestroyMachine(id=f"{n}", app="web", target=Ref(machine=f"m{n}"), reason="too many")
        for n in range(1000)
    ]
    text = describe_app(with_steps(plan, *steps))
    assert text == (
        "web:\n  - destroy machine × 1000 (m0, m1, m2, m3, m4, m5, and 994 more): too many"
    )
    assert totals([with_steps(plan, *steps)]).destroy == 1000


def test_what_waits_is_told_where_nothing_else_is() -> None:
    plan = planned(wanted(SERVICE + CHECK, image="nginx:2"), launched(wanted(SERVICE + CHECK)))
    assert "wait until" not in describe_app(plan)
    waits = tuple(step for step in plan.steps if not step.mutates)
    assert "    hold 2 machine(s)" in describe_app(with_steps(plan, *waits))


def test_each_verb_by_itself() -> None:
    plan = planned(wanted())
    steps = (
        StopMachine(id="1", app="web", target=Ref(machine="a")),
        StartMachine(id="2", app="web", target=Ref(machine="b")),
        StopMachine(id="3", app="web", target=Ref(machine="c")),
    )
    assert describe_app(with_steps(plan, *steps)) == (
        "web:\n    stop machine × 2 (a, c)\n    start machine b"
    )


def test_totals_in_a_line() -> None:
    assert str(Totals(apps=2, create=6, update=3, destroy=1)) == (
        "2 apps, 6 machines to create, 3 to update, 1 to destroy; 0 USD a month in addresses"
    )
    assert str(Totals(apps=1, update=1, usd=2)) == (
        "1 app, 1 machine to update; 2 USD a month in addresses"
    )
    assert str(Totals(apps=1, resources=1)) == (
        "1 app, 1 resource to provision, no machine to change; 0 USD a month in addresses"
    )


def test_totals_of_plans() -> None:
    new = planned(wanted(SERVICE))
    same = planned(wanted(), launched(wanted()))
    assert totals([new, same], resources=3) == Totals(apps=1, resources=3, create=2)
