"""Every answer of the emulator fits the API document: its statuses and its schemas."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
import jsonschema
import pytest

from fly_emulator import EmulatorSettings
from fly_emulator.router import MACHINES
from fly_machines.operations import OPERATIONS
from openapi.generate import corrected_document
from tests.emulator.client import SERVICE, Api

PEM = "-----BEGIN CERTIFICATE-----"
CONFIG = {
    "image": "nginx:1.25",
    "env": {"A": "b"},
    "metadata": {"a": "b"},
    "services": [{**SERVICE, "autostop": "stop"}],
    "checks": {"up": {"type": "tcp", "port": 8080}},
    "restart": {"policy": "on-failure", "max_retries": 3},
}


class AllAnswered:
    """Runs any command."""

    async def run(self, execution: Any) -> dict[str, Any]:
        return {"exit_code": 0, "exit_signal": 0, "stdout": "", "stderr": ""}


def nullable(schema: Any) -> Any:
    """The schema with OpenAPI's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = nullable(corrected_document())
    return found


def check(response: httpx.Response) -> str:
    """Compare one answer with the document; gives the operation's id."""
    path = response.request.url.raw_path.partition(b"?")[0].decode()
    match = MACHINES.match(response.request.method, path)
    operation = next(each for each in OPERATIONS if each.id == match.operation)
    described = document()["paths"][operation.path][operation.method.lower()]["responses"]
    assert str(response.status_code) in described, (
        operation.id,
        response.status_code,
        response.text,
    )
    content = described[str(response.status_code)].get("content") or {}
    kind = response.headers.get("content-type", "").partition(";")[0]
    assert not content or kind in content, (operation.id, kind)
    if kind == "application/json":
        schema = content.get(kind, {}).get("schema") or {}
        whole = {**schema, "components": document()["components"]}
        errors = jsonschema.Draft202012Validator(whole).iter_errors(response.json())
        assert [f"{operation.id} {e.json_path}: {e.message}" for e in errors] == []
    return operation.id


async def tour(api: Api) -> list[httpx.Response]:
    """Call every operation once, in an order that works."""
    answers: list[httpx.Response] = []

    async def call(method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = await api.call(method, path, json=body, **options)
        answers.append(answer)
        assert answer.status_code < 400, (method, path, answer.text)
        is_json = answer.headers.get("content-type") == "application/json"
        return answer.json() if is_json else None

    await call("GET", "/apps", params={"org_slug": "personal"})
    await call("POST", "/apps", {"name": "other", "org_slug": "personal"})
    await call("GET", "/apps/shop")
    await call("POST", "/apps/shop/deploy_token", {"expiry": "1h"})
    ip = await call("POST", "/apps/shop/ip_assignments", {"type": "v6"})
    await call("GET", "/apps/shop/ip_assignments")
    await call("DELETE", f"/apps/shop/ip_assignments/{ip['ip']}")
    await certificates(call)
    await secrets(call)
    await keys(call)
    await policies(call)
    await postgres(call)
    await volumes(call)
    await machines(api, call)
    await call("GET", "/platform/regions")
    await call("POST", "/platform/placements", {"org_slug": "personal"})
    await tokens(call)
    await call("DELETE", "/apps/shop")
    return answers


async def certificates(call: Any) -> None:
    path = "/apps/shop/certificates"
    await call("POST", f"{path}/acme", {"hostname": "a.example.com"})
    await call(
        "POST",
        f"{path}/custom",
        {"hostname": "a.example.com", "fullchain": PEM, "private_key": PEM},
    )
    await call("GET", path)
    await call("POST", f"{path}/a.example.com/check")
    await call("GET", f"{path}/a.example.com")
    await call("DELETE", f"{path}/a.example.com/custom")
    await call("DELETE", f"{path}/a.example.com/acme")
    await call("DELETE", f"{path}/a.example.com")


async def secrets(call: Any) -> None:
    path = "/apps/shop/secrets"
    await call("POST", path, {"values": {"A": "b"}})
    await call("POST", f"{path}/B", {"value": "c"})
    await call("GET", path, params={"show_secrets": "true"})
    await call("GET", f"{path}/B")
    await call("DELETE", f"{path}/B")


async def keys(call: Any) -> None:
    path = "/apps/shop/secretkeys"
    text = {"plaintext": "aGVsbG8="}
    await call("POST", f"{path}/BOX", {"type": "nacl_secretbox", "value": "a2V5"})
    await call("POST", f"{path}/SIGN/generate", {"type": "SECRET_TYPE_KMS_NACL_SIGN"})
    hidden = await call("POST", f"{path}/BOX/encrypt", text)
    assert await call("POST", f"{path}/BOX/decrypt", hidden) == text
    signed = await call("POST", f"{path}/SIGN/sign", text)
    await call("POST", f"{path}/SIGN/verify", {**text, **signed})
    await call("GET", f"{path}/SIGN")
    await call("GET", path)
    await call("DELETE", f"{path}/SIGN")


async def policies(call: Any) -> None:
    path = "/apps/shop/network_policies"
    rule = {"action": "allow", "direction": "ingress", "ports": [{"protocol": "tcp", "port": 80}]}
    made = await call("POST", path, {"name": "web", "selector": {"all": True}, "rules": [rule]})
    await call("POST", path, {**made, "rules": []})
    assert [each["rules"] for each in await call("GET", path)] == [[]]
    await call("DELETE", f"{path}/{made['id']}")


async def postgres(call: Any) -> None:
    made = await call("POST", "/postgres", {"org_slug": "personal", "name": "db"})
    path = f"/postgres/{made['data']['id']}"
    assert (await call("GET", path))["data"]["name"] == "db"
    await call("GET", f"{path}/users/fly-user/credentials")


async def tokens(call: Any) -> None:
    await call("GET", "/tokens/current")
    await call("POST", "/tokens/authenticate", {"header": "Bearer a"})
    access = {"app_name": "shop", "action": "r"}
    await call("POST", "/tokens/authorize", {"header": "Bearer a", "access": access})
    await call("POST", "/tokens/kms")
    await call("POST", "/tokens/oidc", {"aud": "https://example.com"})


async def volumes(call: Any) -> None:
    path = (
        f"/apps/shop/volumes/{(await call('POST', '/apps/shop/volumes', {'name': 'data'}))['id']}"
    )
    await call("GET", "/apps/shop/volumes")
    await call("PUT", f"{path}/extend", {"size_gb": 5})
    await call("PUT", path, {"snapshot_retention": 6})
    await call("POST", f"{path}/snapshots")
    await call("GET", f"{path}/snapshots")
    await call("GET", "/orgs/personal/volumes")
    await call("DELETE", path)
    await call("GET", path)


async def machines(api: Api, call: Any) -> None:
    created = await call("POST", "/apps/shop/machines", {"config": CONFIG, "lease_ttl": 30})
    path = f"/apps/shop/machines/{created['id']}"
    nonce = {"fly-machine-lease-nonce": created["nonce"]}
    api.later(2)
    await call("GET", f"{path}/wait", params={"state": "started"})
    for suffix in (
        "",
        "/ps",
        "/memory",
        "/versions",
        "/events",
        "/lease",
        "/metadata",
        "/metadata/a",
    ):
        await call("GET", path + suffix)
    await call("POST", f"{path}/lease", {"ttl": 30}, headers=nonce)
    await call("DELETE", f"{path}/lease", headers=nonce)
    await call("POST", f"{path}/exec", {"command": ["true"]})
    await call("PUT", f"{path}/memory", {"limit_mb": 128})
    await call("POST", f"{path}/memory/reclaim", {"amount_mb": 1})
    for suffix, body in [
        ("/signal", {"signal": "SIGUSR1"}),
        ("", {"config": CONFIG}),
        ("/restart", None),
        ("/suspend", None),
        ("/start", None),
        ("/stop", {"timeout": "5s"}),
        ("/cordon", None),
        ("/uncordon", None),
        ("/metadata/c", {"value": "d"}),
    ]:
        await call("POST", path + suffix, body)
        api.later(2)
    await call("PUT", f"{path}/metadata", {"metadata": {"a": "b"}})
    await call("PATCH", f"{path}/metadata", {"metadata": {"a": None}})
    await call("DELETE", f"{path}/metadata/a")
    await call("GET", "/apps/shop/machines")
    await call("GET", "/orgs/personal/machines")
    await call("DELETE", path)
    api.later(1)
    await call("GET", path)


@pytest.fixture
def settings() -> EmulatorSettings:
    return EmulatorSettings(rate_limits=False)


async def test_every_answer_fits_the_document(api: Api) -> None:
    api.fly.exec_runner = AllAnswered()
    answers = await tour(api)
    seen = {check(answer) for answer in answers}
    assert seen == {operation.id for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("container", "status"), [({}, 200), ({"name": "a"}, 200), ({"name": 3}, 400)]
)
async def test_containers_fit_the_document_with_and_without_names(
    api: Api, container: dict[str, Any], status: int
) -> None:
    config = {**CONFIG, "containers": [{"image": "nginx:1.25", **container}]}
    answer = await api.post("/apps/shop/machines", {"config": config})
    assert answer.status_code == status
    check(answer)
