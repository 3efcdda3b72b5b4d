"""Provisioners of packages: whatever their code does, one resource has failed, and why is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from score_flyio.base.secret import Secret
from score_flyio.errors import ProvisionFailed, ScoreFlyError
from score_flyio.resources.kinds.in_process import InProcessProvisioner
from score_flyio.resources.provisioner import (
    ProvisionIncomplete,
    ProvisionRequest,
    ProvisionResult,
)
from tests.unit.resources.conftest import Fake, World, uid

MakeWorld = Callable[..., World]
RESOURCES = {"bad": {"type": "bad"}, "good": {"type": "good"}}


def of_package(answer: Callable[[ProvisionRequest], Any]) -> InProcessProvisioner:
    return InProcessProvisioner(id="p-bad", uses_shared=None, plugin=Fake(answer))


def raises(error: Exception) -> Callable[[ProvisionRequest], Any]:
    def answer(_request: ProvisionRequest) -> Any:
        raise error

    return answer


def gives(result: Any) -> Callable[[ProvisionRequest], Any]:
    return lambda _: result


def half(request: ProvisionRequest) -> Any:
    result = ProvisionResult(state={"made": object()})
    raise ProvisionIncomplete("half", uid=str(request.uid), result=result)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raises(ValueError("no\nroom")), "ValueError: no room"),
        (raises(TimeoutError()), "TimeoutError"),
        (raises(KeyError("HOST")), "KeyError: 'HOST'"),
        (
            raises(ExceptionGroup("at once", [OSError("a"), ExceptionGroup("", [OSError("b")])])),
            "OSError: a; OSError: b",
        ),
        (raises(ScoreFlyError("no login", hint="log in")), "no login"),
        (gives(None), "it answered with a NoneType, which is no ProvisionResult"),
        (gives({"values": {}}), "it answered with a dict, which is no ProvisionResult"),
        (gives(ProvisionResult(values=["a"])), "its values is a list, which is no dict"),  # type: ignore[arg-type]
        (
            gives(ProvisionResult(values={"key": b"k3y"})),
            "its values cannot be kept as JSON: Object of type bytes is not JSON serializable",
        ),
        (
            gives(ProvisionResult(state={"at": {1, 2}})),
            "its state cannot be kept as JSON: Object of type set is not JSON serializable",
        ),
        (
            gives(ProvisionResult(shared={"size": float("nan")})),
            "its shared cannot be kept as JSON: Out of range float values are not JSON compliant",
        ),
        (
            gives(ProvisionResult(secrets={"key": b"k3y"})),
            "its secrets cannot be kept as JSON: Object of type bytes is not JSON serializable",
        ),
        (half, "its state cannot be kept as JSON: Object of type object is not JSON serializable"),
    ],
)
async def test_what_its_code_does_wrong_stops_nothing_else(
    world: MakeWorld, answer: Callable[[ProvisionRequest], Any], says: str
) -> None:
    w = world(RESOURCES, bad=of_package(answer), good=Fake())
    run = w.run()
    with pytest.raises(ProvisionFailed) as raised:
        await run.run()
    (problem,) = raised.value.problems
    where = "resource 'bad.default#shop.bad': provisioner 'p-bad'"
    assert (problem.message, problem.place) == (f"{where}: {says}", "resources.bad")
    assert problem.hint == ("log in" if says == "no login" else None)
    assert "good.default#shop.good" in {
        str(u) for u in await run.outputs([uid("good.default#shop.good")])
    }


async def test_a_secret_may_be_one_already(world: MakeWorld) -> None:
    answer = gives(ProvisionResult(secrets={"key": Secret("k3y"), "more": [Secret("x")]}))
    w = world({"db": {"type": "db"}}, db=of_package(answer))
    run = w.run()
    await run.run()
    outputs = await run.outputs([uid("db.default#shop.db")])
    assert outputs[uid("db.default#shop.db")].secrets == {
        "key": Secret("k3y"),
        "more": [Secret("x")],
    }
