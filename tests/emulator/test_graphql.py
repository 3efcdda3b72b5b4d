"""The GraphQL interface: the language itself, errors, and what only it can tell."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.emulator.client import Api
from tests.emulator.test_web import RELEASE, call


async def ask(api: Api, query: str, **variables: Any) -> dict[str, Any]:
    response = await api.client.post("/graphql", json={"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_aliases_fragments_and_defaults(api: Api) -> None:
    query = """
        query($name: String = "shop") {
          mine: app(name: $name) { ...names, organization { slug } }
          other: app(name: "shop") { ... on App { id } }
        }
        fragment names on App { called: name, status }
    """
    assert await ask(api, query) == {
        "data": {
            "mine": {
                "called": "shop",
                "status": "pending",
                "organization": {"slug": "personal"},
            },
            "other": {"id": "shop"},
        }
    }


async def test_one_of_several_operations(api: Api) -> None:
    query = 'query A { viewer { email } } query B { app(name: "shop") { name } }'
    body = {"query": query, "operationName": "B"}
    answer = (await api.client.post("/graphql", json=body)).json()
    assert answer == {"data": {"app": {"name": "shop"}}}


async def test_an_app_that_is_not_there(api: Api) -> None:
    answer = await ask(api, "query($n: String!) { app(name: $n) { id } }", n="nothing")
    assert answer["data"] == {"app": None}
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND"}
    assert error["path"] == ["app"]
    assert "nothing" in error["message"]


@pytest.mark.parametrize(
    "query", ["query {", "{ nothing }", "query($n: String!) { app(name: $n) { id } }"]
)
async def test_documents_are_checked(api: Api, query: str) -> None:
    answer = await ask(api, query)
    assert answer["errors"]
    assert answer["data"] is None


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("POST", {}, 400), ("POST", {"query": 1}, 400), ("GET", None, 404)],
)
async def test_other_requests_are_refused(api: Api, method: str, body: Any, status: int) -> None:
    assert (await api.client.request(method, "/graphql", json=body)).status_code == status


async def test_a_token_is_needed(api: Api) -> None:
    api.client.headers.pop("authorization")
    answer = await api.client.post("/graphql", json={"query": "{ viewer { email } }"})
    assert answer.status_code == 401


async def test_without_graphql_core_it_says_what_is_missing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("fly_emulator.graphql.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "graphql", None)
    answer = await api.client.post("/graphql", json={"query": "{ viewer { email } }"})
    assert answer.status_code == 501
    assert "score-flyio[emulator]" in answer.json()["error"]


async def test_releases_are_those_of_the_web_interface(api: Api) -> None:
    await call(api, "POST", "/releases", RELEASE)
    made = (await call(api, "POST", "/releases", {**RELEASE, "image": "nginx:1.27"})).json()
    query = """query($n: Int!) { app(name: "shop") {
      version currentReleaseUnprocessed { id configDefinition }
      releases: releasesUnprocessed(first: $n) { nodes { version imageRef } } } }"""
    app = (await ask(api, query, n=1))["data"]["app"]
    assert app["version"] == 2
    assert app["currentReleaseUnprocessed"]["id"] == made["release"]["id"]
    assert app["currentReleaseUnprocessed"]["configDefinition"] == {"app": "shop"}
    assert app["releases"]["nodes"] == [{"version": 2, "imageRef": "nginx:1.27"}]


async def test_addresses_are_those_of_the_machines_api(api: Api) -> None:
    allocate = """mutation($input: AllocateIPAddressInput!) { allocateIpAddress(input: $input) {
      ipAddress { id address type } app { sharedIpAddress } } }"""
    v6 = await ask(api, allocate, input={"appId": "shop", "type": "v6", "region": ""})
    shared = await ask(api, allocate, input={"appId": "shop", "type": "shared_v4"})
    address = v6["data"]["allocateIpAddress"]["ipAddress"]["address"]
    assert shared["data"]["allocateIpAddress"]["ipAddress"] is None
    rest = (await api.get("/apps/shop/ip_assignments")).json()["ips"]
    assert [ip["ip"] for ip in rest] == [
        address,
        shared["data"]["allocateIpAddress"]["app"]["sharedIpAddress"],
    ]
    again = await ask(api, allocate, input={"appId": "shop", "type": "shared_v4"})
    assert again["errors"][0]["extensions"] == {"code": "UNPROCESSABLE"}
    release = """mutation($input: ReleaseIPAddressInput!) {
      releaseIpAddress(input: $input) { clientMutationId } }"""
    await ask(api, release, input={"appId": "shop", "ip": address})
    left = await ask(api, '{ app(name: "shop") { ipAddresses { nodes { address } } } }')
    assert left["data"]["app"]["ipAddresses"]["nodes"] == []


async def test_apps_come_in_pages(api: Api) -> None:
    for name in ("a", "b"):
        await api.app(name)
    query = """query($after: String) { apps(first: 2, after: $after) {
      nodes { name } pageInfo { hasNextPage endCursor } } }"""
    first = (await ask(api, query))["data"]["apps"]
    assert [app["name"] for app in first["nodes"]] == ["a", "b"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await ask(api, query, after=first["pageInfo"]["endCursor"]))["data"]["apps"]
    assert [app["name"] for app in rest["nodes"]] == ["shop"]
    assert rest["pageInfo"] == {"hasNextPage": False, "endCursor": ""}


async def test_machines_and_their_services(api: Api) -> None:
    machine = await api.machine()
    query = """{ app(name: "shop") { machines { nodes { id state config host { id } } }
      services { protocol internalPort ports { port handlers } } imageDetails { repository } } }"""
    app = (await ask(api, query))["data"]["app"]
    (found,) = app["machines"]["nodes"]
    assert (found["id"], found["state"]) == (machine["id"], "started")
    assert found["config"]["image"] == "nginx:1.25"
    assert app["imageDetails"] == {"repository": "library/nginx"}
    assert app["services"] == [
        {
            "protocol": "TCP",
            "internalPort": 8080,
            "ports": [{"port": 443, "handlers": ["TLS", "HTTP"]}],
        }
    ]


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ("nginx:1.25", "docker-hub-mirror.fly.io/library/nginx:1.25"),
        ("registry.fly.io/shop:deployment-1", "registry.fly.io/shop:deployment-1"),
        (f"nginx@sha256:{'a' * 64}", f"docker-hub-mirror.fly.io/library/nginx@sha256:{'a' * 64}"),
    ],
)
async def test_images_are_named_as_the_platform_does(api: Api, given: str, ref: str) -> None:
    query = 'query($r: String!) { app(name: "shop") { image(ref: $r) { ref digest } } }'
    image = (await ask(api, query, r=given))["data"]["app"]["image"]
    assert image["ref"] == ref
    assert image["digest"].startswith("sha256:")


async def test_there_is_no_private_network(api: Api) -> None:
    query = """mutation($input: AddWireGuardPeerInput!) {
      addWireGuardPeer(input: $input) { peerip } }"""
    wish = {"organizationId": "x", "name": "peer", "pubkey": "k"}
    answer = await ask(api, query, input=wish)
    assert answer["errors"][0]["extensions"] == {"code": "NOT_IMPLEMENTED"}
