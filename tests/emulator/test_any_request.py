"""Whatever bytes a caller sends to whatever path, the answer has the documented shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.wire import ApiRequest, ApiResponse
from fly_machines.operations import OPERATIONS, Operation
from score_flyio.base.clock import EventLoopClock

PATHS = {
    "app_name": "shop",
    "secret_name": "A",
    "hostname": "a.example.com",
    "ip": "66.241.124.1",
    "key": "a",
    "org_slug": "personal",
    "policy_id": "none",
    "cluster_id": "none",
    "username": "fly-user",
}
NAMES = [
    "state", "timeout", "version", "instance_id", "from_event_id", "ttl", "force", "kill", "limit",
    "cursor", "updated_after", "region", "summary", "include_deleted", "metadata.a", "min_version",
    "show_secrets", "org_slug", "app_role", "filter", "signal", "wait", "next_token", "instance",
]  # fmt: skip
VALUES = st.sampled_from(
    ["", "0", "1", "-1", "true", "started", "stopped,settled", "9" * 5_000, "nan", "inf_a", "_",
     "0001-01-01", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00+23:59", "é\0", "SIGTERM", "5s",
     "01HZZZZZZZZZZZZZZZZZZZZZZZ", "iad", "any", "iad,any", "٣", "personal"]
) | st.text(max_size=3)  # fmt: skip
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3)
HEADERS = st.dictionaries(
    st.sampled_from(["fly-machine-lease-nonce", "content-type", "accept", "x-other"]),
    st.text(st.characters(max_codepoint=255), max_size=5),
    max_size=2,
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
JSON = st.recursive(
    SCALARS | st.sampled_from([10**320, "\ud800", "'", "5s", "/a", "1e999"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=3,
)
FIELDS = [
    "config", "name", "region", "lease_ttl", "ttl", "values", "value", "type", "size_gb", "compute",
    "hostname", "command", "cmd", "timeout", "signal", "metadata", "limit_mb", "amount_mb", "count",
    "min_secrets_version", "current_version", "machine_version", "org_slug", "source_volume_id",
    "app_name", "header", "access", "plaintext", "signature", "ciphertext", "rules", "selector", "build_id", "status", "definition", "query", "variables", "operationName",
]  # fmt: skip
BODIES = (
    st.binary(max_size=8)
    | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4).map(
        lambda body: json.dumps(body).encode()
    )
    | st.sampled_from(
        [b"[" * 7_000, b'{"a":' * 200 + b"1" + b"}" * 200, b'{"config": NaN}', b"\xff{}"]
    )
)
WEB = [
    ("GET", "/api/v1/organizations"),
    ("GET", "/api/v1/organizations/personal"),
    ("POST", "/api/v1/builds"),
    ("POST", "/api/v1/builds/finish"),
    ("POST", "/api/v1/releases"),
    ("PATCH", "/api/v1/releases/x"),
    ("GET", "/api/v1/releases/all_current"),
    ("GET", "/api/v1/apps/shop/releases"),
    ("GET", "/api/v1/apps/shop/releases/current"),
    ("GET", "/api/v1/apps/shop/logs"),
    ("POST", "/graphql"),
]
SETTINGS = EmulatorSettings(rate_limits=False, boot=0.01)


async def ask(fly: Emulator, method: str, path: str, **parts: Any) -> ApiResponse:
    headers = {**parts.pop("headers", {}), "authorization": "Bearer token"}
    body = parts.pop("body", b"")
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = ApiRequest(method=method, path=path, headers=headers, body=body, **parts)
    return await fly.handle(request)


async def furnished(fly: Emulator) -> dict[str, str]:
    """A platform with one of everything; the ids that paths need."""
    await ask(fly, "POST", "/v1/apps", body={"name": "shop"})
    app = "/v1/apps/shop"
    volume = await ask(fly, "POST", f"{app}/volumes", body={"name": "data"})
    machine = await ask(fly, "POST", f"{app}/machines", body={"config": {"image": "a"}})
    await ask(fly, "GET", f"{app}/machines/{machine.document['id']}/wait")
    await ask(fly, "POST", f"{app}/secrets", body={"values": {"A": "a"}})
    await ask(fly, "POST", f"{app}/secretkeys/A/generate", body={"type": "nacl_box"})
    await ask(fly, "POST", f"{app}/ip_assignments", body={"type": "shared_v4"})
    await ask(fly, "POST", f"{app}/certificates/acme", body={"hostname": "a.example.com"})
    return {**PATHS, "machine_id": machine.document["id"], "volume_id": volume.document["id"]}


def check(answer: ApiResponse) -> None:
    content, _ = answer.content()
    assert 200 <= answer.status < 600
    assert answer.status != 500
    if content and answer.raw is None:
        json.loads(content, parse_constant=lambda word: pytest.fail(f"{word} in an answer"))
    if answer.status >= 400:
        text = answer.document.get("error") or answer.document.get("message")
        assert isinstance(text, str)
        assert text


def run(method: str, path: str, **parts: Any) -> None:
    async def once() -> None:
        async with Emulator(SETTINGS, clock=EventLoopClock()) as fly:
            ids = await furnished(fly)
            check(await ask(fly, method, path.format(**ids), **parts))
            check(await ask(fly, "GET", "/v1/apps/shop/machines"))
            check(await ask(fly, "GET", "/v1/apps/shop/volumes"))

    trio.run(once, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
@hypothesis_settings(max_examples=6, deadline=None)
@given(query=QUERIES, headers=HEADERS, body=BODIES)
def test_any_call_of_the_machines_api(
    operation: Operation, query: Any, headers: dict[str, str], body: bytes
) -> None:
    path = f"/v1{operation.path}"
    run(operation.method, path, query=tuple(query), headers=headers, body=body)


@pytest.mark.parametrize(("method", "path"), WEB)
@hypothesis_settings(max_examples=6, deadline=None)
@given(query=QUERIES, headers=HEADERS, body=BODIES)
def test_any_call_of_the_other_interfaces(
    method: str, path: str, query: Any, headers: dict[str, str], body: bytes
) -> None:
    run(method, path, query=tuple(query), headers=headers, body=body)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
    start=st.sampled_from(["/", "/v1/apps/", "/api/v1/", "/graphql", "/v1/apps/shop/machines/"]),
    rest=st.text(st.sampled_from("a/%{}.0?é \0"), max_size=8),
)
@example(method="GET", start="/v1/apps/", rest="%ff%00%")
def test_any_path(method: str, start: str, rest: str) -> None:
    run(method, (start + rest).replace("{", "{{").replace("}", "}}"))
