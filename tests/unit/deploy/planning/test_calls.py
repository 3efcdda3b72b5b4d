"""Every step says which calls it makes."""

from __future__ import annotations

from fly_machines.operations import OPERATIONS
from score_flyio.base.secret import Secret
from score_flyio.deploy.execution.steps import CARRY_OUT
from score_flyio.deploy.model import OwnCertificate, Ref
from score_flyio.deploy.planning.calls import CALLS, calls
from score_flyio.deploy.planning.plan import describe_app
from score_flyio.deploy.planning.plan_json import plan_json
from score_flyio.deploy.step import (
    MUTATING,
    AddCertificate,
    DestroyMachine,
    HoldMachines,
    ReleaseAddress,
    SetMetadata,
)
from tests.unit.deploy.planning.plans import planned, wanted


def test_each_kind_of_step_is_in_the_table() -> None:
    assert set(CALLS) == set(CARRY_OUT)
    assert {operation for found in CALLS.values() for operation in found} <= set(OPERATIONS)


def test_exactly_what_changes_something_makes_changing_calls() -> None:
    changing = {
        kind for kind, found in CALLS.items() if any(each.method != "GET" for each in found)
    }
    assert changing - {HoldMachines} == set(MUTATING)


def test_paths_name_what_is_known() -> None:
    gone = DestroyMachine(id="a", app="web", ref=Ref(machine="m1"), reason="")
    new = SetMetadata(id="b", app="web", ref=Ref(step="create"), key="k", value="v")
    held = HoldMachines(id="c", app="web", machines=("m1", "m2"))
    address = ReleaseAddress(id="d", app="web", address="2a09::1")
    assert calls(gone) == ("DELETE /apps/web/machines/m1",)
    assert calls(new) == ("POST /apps/web/machines/{machine_id}/metadata/k",)
    assert calls(held) == (
        "POST /apps/web/machines/m1/lease",
        "POST /apps/web/machines/m2/lease",
        "DELETE /apps/web/machines/m1/lease",
        "DELETE /apps/web/machines/m2/lease",
    )
    assert calls(address) == ("DELETE /apps/web/ip_assignments/2a09%3A%3A1",)


def test_a_certificate_of_ones_own_is_another_call() -> None:
    own = OwnCertificate(fullchain="chain", private_key=Secret("key"))
    asked = AddCertificate(id="a", app="web", hostname="h.example")
    given = AddCertificate(id="a", app="web", hostname="h.example", own=own)
    assert calls(asked) == ("POST /apps/web/certificates/acme",)
    assert calls(given) == ("POST /apps/web/certificates/custom",)


def test_plans_show_them_when_asked() -> None:
    plan = planned(wanted())
    document = plan_json(plan)
    assert all("calls" in step for step in document["steps"])
    assert any("POST /apps/web/machines" in step["calls"] for step in document["steps"])
    assert "> POST" not in describe_app(plan)
    assert "      > POST /apps/web/machines" in describe_app(plan, show_calls=True).splitlines()
