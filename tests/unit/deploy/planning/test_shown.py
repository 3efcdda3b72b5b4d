"""Plans as people and programs read them: equal machines folded, and totals."""
# ruff: noqa: RUF001  # the sign of multiplication is meant

from __future__ import annotations

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.app_step import AllocateAddress, CreateVolume
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.shown import (
    MachineTotals,
    Totals,
    describe_app,
    plan_document,
    totals,
)
from score_flyio.deploy.step import (
    CreateMachine,
    DestroyMachine,
    RevertMachine,
    SetMetadata,
    StartMachine,
    Step,
    StopMachine,
    UpdateMachine,
)
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
    (action,) = plan_document(with_steps(plan, *steps)).to_json()["actions"]
    assert (action["action"], action["count"]) == ("create", 3)
    assert action["regions"] == {"iad": 2, "fra": 1}
    assert {"path": "image", "before": None, "after": "nginx:1"} in action["fields"]
    assert action["steps"] == ["0", "1", "2"]


def test_machines_that_differ_are_not_folded() -> None:
    plan = planned(wanted())
    first = created(plan)
    other = evolve(first.config, image="nginx:9")
    steps = (first, evolve(first, id="2", request=evolve(first.request, config=other)))
    assert [len(each.steps) for each in plan_document(with_steps(plan, *steps)).actions] == [1, 1]


def test_of_a_thousand_machines_a_few_are_named() -> None:
    plan = planned(wanted())
    steps = [
        DestroyMachine(id=f"{n}", target=Ref(machine=f"m{n}"), reason="too many")
        for n in range(1000)
    ]
    text = describe_app(with_steps(plan, *steps))
    assert text == (
        "web:\n  - destroy machine × 1000 (m0, m1, m2, m3, m4, m5, and 994 more): too many"
    )
    assert totals([with_steps(plan, *steps)]).machines.destroy == 1000


def test_what_waits_is_told_where_nothing_else_is() -> None:
    plan = planned(wanted(SERVICE + CHECK, image="nginx:2"), launched(wanted(SERVICE + CHECK)))
    assert "wait until" not in describe_app(plan)
    waits = tuple(step for step in plan.steps if not step.mutates)
    assert "    hold 2 machines" in describe_app(with_steps(plan, *waits))


def test_each_verb_by_itself() -> None:
    plan = planned(wanted())
    steps = (
        StopMachine(id="1", target=Ref(machine="a")),
        StartMachine(id="2", target=Ref(machine="b")),
        StopMachine(id="3", target=Ref(machine="c")),
    )
    assert describe_app(with_steps(plan, *steps)) == (
        "web:\n    stop machine × 2 (a, c)\n    start machine b"
    )


def test_totals_in_a_line() -> None:
    assert str(Totals(apps=2, machines=MachineTotals(create=6, update=3, destroy=1))) == (
        "2 apps, 6 machines to create, 3 to update, 1 to destroy; 0 USD a month in addresses"
    )
    assert str(Totals(apps=1, machines=MachineTotals(update=1), addresses_usd_per_month=2)) == (
        "1 app, 1 machine to update; 2 USD a month in addresses"
    )
    assert str(Totals(apps=1, resources=1)) == (
        "1 app, 1 resource to provision, no machine to change; 0 USD a month in addresses"
    )


def test_totals_of_plans() -> None:
    new = planned(wanted(SERVICE))
    same = planned(wanted(), launched(wanted()))
    assert totals([new, same], resources=3) == Totals(
        apps=1, resources=3, machines=MachineTotals(create=2)
    )


def test_an_action_and_totals_for_programs() -> None:
    steps = [
        DestroyMachine(id=f"{n}", group="old", target=Ref(machine=f"m{n}"), reason="left")
        for n in range(2)
    ]
    (action,) = plan_document(with_steps(planned(wanted()), *steps)).to_json()["actions"]
    assert action == {
        "action": "destroy",
        "kind": "DestroyMachine",
        "description": "destroy machine × 2 (m0, m1): left",
        "group": "old",
        "count": 2,
        "machines": ["m0", "m1"],
        "regions": {},
        "fields": [],
        "steps": ["0", "1"],
    }
    machines = MachineTotals(create=1, update=2, destroy=3)
    found = Totals(apps=5, resources=4, machines=machines, addresses_usd_per_month=6)
    assert found.to_json() == {
        "apps": 5,
        "resources": 4,
        "machines": {"create": 1, "update": 2, "destroy": 3},
        "addresses_usd_per_month": 6,
    }


def test_as_many_as_are_named_need_no_count() -> None:
    steps = [
        DestroyMachine(id=f"{n}", target=Ref(machine=f"m{n}"), reason="left") for n in range(6)
    ]
    text = describe_app(with_steps(planned(wanted()), *steps))
    assert text.endswith("× 6 (m0, m1, m2, m3, m4, m5): left")


def test_machines_that_go_for_other_reasons_are_other_actions() -> None:
    steps = [
        DestroyMachine(id=reason, target=Ref(machine="m"), reason=reason)
        for reason in ("left", "replaced")
    ]
    assert len(plan_document(with_steps(planned(wanted()), *steps)).actions) == 2


def test_volumes_are_folded_by_name_and_size() -> None:
    def volume(number: int, *, name: str = "data", size: int | None = 3) -> CreateVolume:
        request = models.CreateVolumeRequest(name=name, size_gb=size, region="iad")
        return CreateVolume(id=f"v{number}", group="app", request=request)

    steps = (
        volume(1),
        volume(2),
        volume(3, name="logs", size=None),
        volume(4, name="logs", size=None),
        volume(5, size=4),
    )
    assert describe_app(with_steps(planned(wanted()), *steps)).splitlines()[1:] == [
        "  + create volume data, 3 GB × 2 (iad)",
        "  + create volume logs × 2 (iad)",
        "  + create volume data in iad, 4 GB",
    ]


def test_marks_are_folded_by_what_they_say() -> None:
    steps = [
        SetMetadata(id=f"{n}", target=Ref(machine=f"m{n}"), key="k", value=value)
        for n, value in enumerate(["a", "a", "b"])
    ]
    found = plan_document(with_steps(planned(wanted()), *steps)).actions
    assert [len(each.steps) for each in found] == [2, 1]


def test_the_region_of_an_address_is_for_programs_too() -> None:
    step = AllocateAddress(id="1", kind="v4", region="fra")
    plan = with_steps(planned(wanted()), step)
    assert plan_document(plan).to_json()["actions"][0]["regions"] == {"fra": 1}
    assert totals([plan]) == Totals(apps=1, addresses_usd_per_month=2)


def test_what_is_taken_back_is_an_update() -> None:
    before = launched(wanted())
    plan = planned(wanted(image="nginx:2"), before)
    (update, *_) = (each for each in plan.steps if isinstance(each, UpdateMachine))
    back = RevertMachine(
        id="back",
        group="app",
        machine=update.machine,
        config=before.machines[0].config or models.FlyMachineConfig(),
    )
    assert totals([with_steps(plan, update, back)]).machines.update == 2


def test_updates_that_depend_on_secrets_are_told_apart() -> None:
    plan = planned(wanted(image="nginx:2"), launched(wanted()))
    (update, *_) = (each for each in plan.steps if isinstance(each, UpdateMachine))
    update = evolve(update, needs=())
    steps = (
        update,
        evolve(update, id="2", only_if_secrets_differ=not update.only_if_secrets_differ),
    )
    assert len(plan_document(with_steps(plan, *steps)).actions) == 2
