"""Every step says which calls it makes."""

from __future__ import annotations

from typing import Any

from attrs import NOTHING, evolve, fields

from fly_machines import models
from fly_machines.operations import OPERATIONS
from score_flyio.base.secret import Secret
from score_flyio.deploy.app_step import AddCertificate, ReleaseAddress
from score_flyio.deploy.execution.steps import CARRY_OUT
from score_flyio.deploy.model import OwnCertificate, Ref
from score_flyio.deploy.planning.shown import describe_app, plan_document
from score_flyio.deploy.step import (
    AwaitHealthy,
    DestroyMachine,
    HoldMachines,
    Pause,
    SetMetadata,
    Step,
    WatchForCrashes,
)
from tests.unit.deploy.planning.plans import CHECK, SERVICE, launched, planned, wanted


def test_all_but_holding_and_waiting_changes_something() -> None:
    machine = models.FlyMachineConfig()
    given = {
        "id": "s", "app": "web", "target": Ref(machine="m"), "request": None, "values": {}, "own": None,
        "changes": {}, "previous": machine, "config": machine, "machines": ("m",),
    }  # fmt: skip
    steps: list[Step] = []
    make: Any
    for make in CARRY_OUT:
        names = {name.name for name in fields(make)}
        needed = {n.name: "x" for n in fields(make) if n.default is NOTHING}
        steps.append(make(**(needed | {k: v for k, v in given.items() if k in names})))
    assert {type(step) for step in steps if not step.mutates} == {
        AwaitHealthy, HoldMachines, Pause, WatchForCrashes,
    }  # fmt: skip
    for step in steps:
        assert set(step.operations) <= set(OPERATIONS)
        assert bool(step.operations) == (not isinstance(step, Pause))


def test_paths_name_what_is_known() -> None:
    gone = DestroyMachine(id="a", target=Ref(machine="m1"), reason="")
    new = SetMetadata(id="b", target=Ref(step="create"), key="k", value="v")
    held = HoldMachines(id="c", machines=("m1", "m2"))
    address = ReleaseAddress(id="d", address="2a09::1")
    assert gone.calls("web") == ("DELETE /apps/web/machines/m1",)
    assert new.calls("web") == ("POST /apps/web/machines/{machine_id}/metadata/k",)
    assert held.calls("web") == (
        "POST /apps/web/machines/m1/lease",
        "POST /apps/web/machines/m2/lease",
        "GET /apps/web/machines",
        "GET /apps/web/machines/m1",
        "GET /apps/web/machines/m2",
        "DELETE /apps/web/machines/m1/lease",
        "DELETE /apps/web/machines/m2/lease",
    )
    assert address.calls("web") == ("DELETE /apps/web/ip_assignments/2a09%3A%3A1",)


def test_a_certificate_of_ones_own_is_another_call() -> None:
    own = OwnCertificate(fullchain="chain", private_key=Secret("key"))
    asked = AddCertificate(id="a", hostname="h.example")
    given = AddCertificate(id="a", hostname="h.example", own=own)
    assert asked.calls("web") == ("POST /apps/web/certificates/acme",)
    assert given.calls("web") == ("POST /apps/web/certificates/custom",)


def test_plans_show_them_when_asked() -> None:
    plan = planned(wanted())
    document = plan_document(plan).to_json()
    assert all("calls" in step for step in document["steps"])
    assert any("POST /apps/web/machines" in step["calls"] for step in document["steps"])
    assert "> POST" not in describe_app(plan)
    assert "      > POST /apps/web/machines" in describe_app(plan, show_calls=True).splitlines()


def test_a_plan_as_a_document() -> None:
    desired = wanted(SERVICE + CHECK, image="nginx:2", secrets={"B": "v", "A": "v"})
    plan = planned(desired, launched(wanted(SERVICE + CHECK)))
    document = plan_document(plan).to_json()
    steps = {step["id"]: step for step in document.pop("steps")}
    assert [each["action"] for each in document.pop("actions")][:3] == ["update", "do", "update"]
    assert document == {
        "app": "web",
        "workload": "web",
        "changes": True,
        "unchanged_machines": [],
        "notes": [],
    }
    assert steps["secrets"] == {
        "id": "secrets",
        "kind": "SetSecrets",
        "description": "set secrets A (new), B (new)",
        "group": None,
        "needs": [],
        "mutates": True,
        "calls": ["POST /apps/web/secrets"],
        "secrets": {"A": "new", "B": "new"},
    }
    assert list(steps["secrets"]["secrets"]) == ["A", "B"]
    assert steps["update:create:app:1"] == {
        "id": "update:create:app:1",
        "kind": "UpdateMachine",
        "description": "update machine create:app:1 of app",
        "group": "app",
        "needs": ["secrets", "hold"],
        "mutates": True,
        "calls": ["POST /apps/web/machines/create%3Aapp%3A1"],
        "machine": "create:app:1",
        "differences": [{"path": "image", "before": "nginx:1", "after": "nginx:2"}],
    }
    assert steps["update:create:app:1:healthy"]["mutates"] is False
    same = plan_document(planned(wanted(), launched(wanted()))).to_json()
    assert (same["changes"], same["steps"]) == (False, [])
    assert same["unchanged_machines"] == ["create:app:1", "create:app:2"]


def test_plans_as_people_read_them() -> None:
    desired = wanted(SERVICE + CHECK, image="nginx:2")
    plan = planned(desired, launched(wanted(SERVICE + CHECK)), detach=True)
    assert describe_app(evolve(plan, label="shop", notes=("told",)), show_calls=True) == (
        "shop (app web):\n"
        "    hold 2 machines\n"
        "      > POST /apps/web/machines/create%3Aapp%3A1/lease\n"
        "      > POST /apps/web/machines/create%3Aapp%3A2/lease\n"
        "      > GET /apps/web/machines\n"
        "      > GET /apps/web/machines/create%3Aapp%3A1\n"
        "      > GET /apps/web/machines/create%3Aapp%3A2\n"
        "      > DELETE /apps/web/machines/create%3Aapp%3A1/lease\n"
        "      > DELETE /apps/web/machines/create%3Aapp%3A2/lease\n"
        "  ~ update machine create:app:1 of app\n"
        "      image: nginx:1 → nginx:2\n"
        "      > POST /apps/web/machines/create%3Aapp%3A1\n"
        "  ~ update machine create:app:2 of app\n"
        "      image: nginx:1 → nginx:2\n"
        "      > POST /apps/web/machines/create%3Aapp%3A2\n"
        "  note: told"
    )
    assert describe_app(planned(wanted(), launched(wanted()))) == "web: nothing to do"
