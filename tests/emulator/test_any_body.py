"""Whatever JSON a caller sends, the answer is an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fly_emulator import World, lifecycle
from fly_emulator.calls import Call
from fly_emulator.documents import machine_document
from fly_emulator.handlers import HANDLERS
from fly_emulator.settings import Principal
from fly_emulator.wire import ApiRequest, ApiResponse, Execution, Refusal, Waiting, answered
from fly_machines.operations import OPERATIONS, Operation

NOW = 1_700_000_000.0
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 70_000)
    | st.sampled_from(["", "a", "/a", "tcp", "5s", "é", "echo '", "nan", "inf", "\ud800"])
    | st.sampled_from([2**63, 10**320, 0.5, 1e300, float("nan"), float("inf")])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "port"]), inner, max_size=2)
    ),
    max_leaves=4,
)
CONFIG_KEYS = [
    "image",
    "env",
    "metadata",
    "restart",
    "files",
    "mounts",
    "checks",
    "guest",
    "size",
    "services",
    "containers",
    "init",
    "auto_destroy",
    "schedule",
    "stop_config",
    "standbys",
]
ITEM_KEYS = [
    "guest_path",
    "raw_value",
    "secret_name",
    "volume",
    "name",
    "path",
    "internal_port",
    "protocol",
    "checks",
    "autostart",
    "autostop",
    "ports",
    "type",
    "interval",
    "port",
    "policy",
    "max_retries",
    "cpu_kind",
    "cpus",
    "memory_mb",
    "image",
    "cmd",
    "swap_size_mb",
    "fly_process_group",
    "handlers",
    "EMULATE_EXIT",
    "EMULATE_BOOT",
    "EMULATE_EXIT_AFTER",
    "EMULATE_HEALTHY",
]
ITEMS = st.dictionaries(st.sampled_from(ITEM_KEYS), JSON, max_size=4)
CONFIGS = st.dictionaries(
    st.sampled_from(CONFIG_KEYS), JSON | ITEMS | st.lists(ITEMS, max_size=2), max_size=5
).map(lambda config: {"image": "a", **config})
BODY_KEYS = [
    "config",
    "name",
    "region",
    "lease_ttl",
    "skip_launch",
    "min_secrets_version",
    "current_version",
    "ttl",
    "description",
    "org_slug",
    "values",
    "value",
    "type",
    "size_gb",
    "compute",
    "snapshot_retention",
    "hostname",
    "fullchain",
    "private_key",
    "command",
    "cmd",
    "timeout",
    "signal",
    "metadata",
    "limit_mb",
    "amount_mb",
    "count",
    "weights",
    "service_name",
    "network",
    "source_volume_id",
    "stdin",
    "container",
    "machine_version",
]
BODIES = st.dictionaries(st.sampled_from(BODY_KEYS), JSON, max_size=6)
WITH_BODY = [operation for operation in OPERATIONS if operation.has_body]


def call(
    world: World, operation: Operation, body: Any, **path: str
) -> ApiResponse | Waiting | Execution:
    request = ApiRequest(method=operation.method, path="/", body=json.dumps(body).encode())
    handler = HANDLERS[operation.id]
    made = Call(
        world=world,
        request=request,
        operation=operation.id,
        path={
            "app_name": "shop",
            "key": "a",
            "secret_name": "A",
            "hostname": "a.b",
            "ip": "::1",
            **path,
        },
        principal=Principal(),
        now=NOW,
        seen=world.sequence,
    )
    try:
        outcome = handler(made)
    except Refusal as refusal:
        return refusal.response()
    return outcome if isinstance(outcome, Waiting | Execution) else answered(outcome)


def named(name: str) -> Operation:
    return next(operation for operation in OPERATIONS if operation.id == name)


def platform() -> tuple[World, str, str]:
    world = World()
    call(world, named("Apps_create"), {"name": "shop"})
    volume = call(world, named("Volumes_create"), {"name": "data"})
    machine = call(world, named("Machines_create"), {"config": {"image": "a"}})
    assert isinstance(volume, ApiResponse)
    assert isinstance(machine, ApiResponse)
    lifecycle.advance(world, NOW + 10)
    assert world.machines[machine.document["id"]].state == "started"
    return world, machine.document["id"], volume.document["id"]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
@hypothesis_settings(max_examples=25, deadline=None)
@given(body=BODIES)
def test_any_body(operation: Operation, body: Any) -> None:
    world, machine, volume = platform()
    answer = call(world, operation, body, machine_id=machine, volume_id=volume)
    if isinstance(answer, ApiResponse):
        json.dumps(answer.document, allow_nan=False).encode()
        assert 200 <= answer.status < 600


@hypothesis_settings(max_examples=150, deadline=None)
@given(config=CONFIGS)
def test_any_config(config: Any) -> None:
    world, _, _ = platform()
    answer = call(world, named("Machines_create"), {"config": config})
    assert isinstance(answer, ApiResponse)
    assert answer.status in {200, 400, 404, 409, 412, 422}
    if answer.status == 200:
        machine = world.machines[answer.document["id"]]
        for later in (1.0, 100.0, 10_000.0):
            lifecycle.advance(world, NOW + later)
            shown = machine_document(world, machine, NOW + later)
            json.dumps(shown, allow_nan=False).encode()
        for action in (
            "Machines_suspend",
            "Machines_list_processes",
            "Machines_start",
            "Machines_delete",
        ):
            call(world, named(action), {}, machine_id=machine.id)
