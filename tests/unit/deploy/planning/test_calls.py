"""Every step says which calls it makes."""

from __future__ import annotations

from typing import Any

from attrs import NOTHING, fields

from fly_machines import models
from fly_machines.operations import OPERATIONS
from score_flyio.base.secret import Secret
from score_flyio.deploy.execution.steps import CARRY_OUT
from score_flyio.deploy.model import OwnCertificate, Ref
from score_flyio.deploy.planning.plan import describe_app, plan_json
from score_flyio.deploy.step import (
    AddCertificate,
    AwaitHealthy,
    DestroyMachine,
    HoldMachines,
    Pause,
    ReleaseAddress,
    SetMetadata,
    Step,
    WatchForCrashes,
)
from tests.unit.deploy.planning.plans import planned, wanted


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
    gone = DestroyMachine(id="a", app="web", target=Ref(machine="m1"), reason="")
    new = SetMetadata(id="b", app="web", target=Ref(step="create"), key="k", value="v")
    held = HoldMachines(id="c", app="web", machines=("m1", "m2"))
    address = ReleaseAddress(id="d", app="web", address="2a09::1")
    assert gone.calls() == ("DELETE /apps/web/machines/m1",)
    assert new.calls() == ("POST /apps/web/machines/{machine_id}/metadata/k",)
    assert held.calls() == (
        "POST /apps/web/machines/m1/lease",
        "POST /apps/web/machines/m2/lease",
        "DELETE /apps/web/machines/m1/lease",
        "DELETE /apps/web/machines/m2/lease",
    )
    assert address.calls() == ("DELETE /apps/web/ip_assignments/2a09%3A%3A1",)


def test_a_certificate_of_ones_own_is_another_call() -> None:
    own = OwnCertificate(fullchain="chain", private_key=Secret("key"))
    asked = AddCertificate(id="a", app="web", hostname="h.example")
    given = AddCertificate(id="a", app="web", hostname="h.example", own=own)
    assert asked.calls() == ("POST /apps/web/certificates/acme",)
    assert given.calls() == ("POST /apps/web/certificates/custom",)


def test_plans_show_them_when_asked() -> None:
    plan = planned(wanted())
    document = plan_json(plan)
    assert all("calls" in step for step in document["steps"])
    assert any("POST /apps/web/machines" in step["calls"] for step in document["steps"])
    assert "> POST" not in describe_app(plan)
    assert "      > POST /apps/web/machines" in describe_app(plan, show_calls=True).splitlines()
