from __future__ import annotations

import pytest

from fly_emulator import Emulator
from fly_emulator.calls import Call
from fly_emulator.handlers import HANDLERS
from fly_emulator.router import MACHINES
from fly_emulator.wire import ApiRequest, ApiResponse, Outcome, Refusal
from fly_machines.operations import OPERATIONS, Operation
from tests.emulator.client import Api, HandClock, make_api


def test_every_operation_has_a_handler() -> None:
    assert set(HANDLERS) == {operation.id for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_path_leads_to_its_operation(operation: Operation) -> None:
    path = "/v1" + operation.path
    values = {}
    for name in operation.path_parameters:
        values[name] = f"the {name}"
        path = path.replace(f"{{{name}}}", f"the%20{name}")
    match = MACHINES.match(operation.method, path)
    assert match.operation == operation.id
    assert match.path == values


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/v2/apps", "/v1/apps/a/machines/b/c/d"])
async def test_unknown_paths_are_not_found(api: Api, path: str) -> None:
    assert (await api.client.get(path)).status_code == 404


async def test_answers_carry_a_request_id(api: Api) -> None:
    first, second = await api.get("/apps/shop"), await api.get("/apps/none")
    assert first.headers["fly-request-id"] != second.headers["fly-request-id"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"3", b'"text"'])
async def test_bodies_must_be_objects(api: Api, body: bytes) -> None:
    response = await api.call("POST", "/apps", content=body)
    assert response.status_code == 400


async def test_further_interfaces_stand_beside_the_machines_api() -> None:
    class Web:
        prefix = "/api/"

        def is_public(self, _request: ApiRequest) -> bool:
            return False

        def name(self, request: ApiRequest) -> str:
            return "Web_" + request.method.lower()

        def handle(self, call: Call) -> Outcome:
            if call.request.path != "/api/apps":
                raise Refusal(404, "nothing here")
            return ApiResponse(
                document={"apps": list(call.world.apps), "user": call.principal.user}
            )

    clock = HandClock()
    async with Emulator(clock=clock, interfaces=[Web()]) as fly:
        api = make_api(fly, clock)
        async with api.client as client:
            await api.app()
            assert (await client.get("/api/apps")).json()["apps"] == ["shop"]
            assert (await client.get("/api/else")).status_code == 404
            assert (await client.get("/api/apps", headers={"authorization": ""})).status_code == 401
        assert fly.journal.entries[-1].operation == "Web_get"
