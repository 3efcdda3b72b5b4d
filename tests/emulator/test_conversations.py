"""What flyctl asks in commands beside deploying, request by request."""

from __future__ import annotations

from base64 import b64decode
from ipaddress import ip_address
from typing import Any

import pytest

from fly_emulator import Emulator, EmulatorSettings, Organization, Principal
from fly_emulator.macaroons import new_macaroon
from score_flyio.base.macaroon import read_macaroon
from tests.emulator.client import Api, HandClock, make_api
from tests.emulator.test_graphql import ask
from tests.emulator.test_web import call

WHOAMI = """query { viewer {
  ... on User { id email enablePaidHobby }
  ... on Macaroon { email }
} }"""
APP_COMPACT = """query ($appName: String!) { appcompact:app(name: $appName) {
  id internalNumericId name hostname deployed status appUrl platformVersion network cnameTarget
  organization { id internalNumericId slug paidPlan } postgresAppRole: role { name } } }"""
ORGANIZATION = """query($slug: String!) { organizationdetails: organization(slug: $slug) {
  id slug name type viewerRole internalNumericId remoteBuilderImage remoteBuilderApp { name }
  members { edges { cursor node { id name email } joinedAt role } } } }"""
TOKENS = """query ($appName: String!) { appLimitedAccessTokens: app(name: $appName) {
  limitedAccessTokens { nodes { id name token expiresAt revokedAt user { email } } } } }"""
CREATE_TOKEN = """mutation CreateLimitedAccessToken($name: String!, $organizationId: ID!,
    $profile: String!, $profileParams: JSON, $expiry: String!) {
  createLimitedAccessToken(input: {name: $name, organizationId: $organizationId,
      profile: $profile, profileParams: $profileParams, expiry: $expiry}) {
    limitedAccessToken { tokenHeader } } }"""
REVOKE = """mutation($input:DeleteLimitedAccessTokenInput!) {
  deleteLimitedAccessToken(input: $input) { token } }"""
VOLUME_APP = """query GetAppNameStateFromVolume($id: ID!) {
  volume: node(id: $id) { ... on Volume { app { name } state } } }"""
APP_OF_VOLUME = """query($id: ID!) {
  volume: volume(id: $id) { ... on Volume { app { name } } } }"""
SNAPSHOTS = """query GetSnapshotsFromVolume($id: ID!) { volume: node(id: $id) { ... on Volume {
  snapshots { nodes { id size digest createdAt retentionDays } } } } }"""
MACHINE = """query ($machineId: String!) { gqlmachine:machine(machineId: $machineId) {
  id name app { name organization { id slug } } } }"""
MACHINE_EVENTS = """query ($machineId: String!) { gqlmachine:machine(machineId: $machineId) {
  instanceId events { nodes { body kind machineVersion { id } source status timestamp } } } }"""
EGRESS = """query ($appName: String!) { app(name: $appName) {
  egressIpAddresses { nodes { id ip version region updatedAt } }
  machines { nodes { id egressIpAddresses { nodes { id ip version region updatedAt } } } } } }"""
ALLOCATE_EGRESS = """mutation($input: AllocateEgressIPAddressInput!) {
  allocateEgressIpAddress(input: $input) { v4, v6 } }"""
RELEASE_EGRESS = """mutation($input: ReleaseEgressIPAddressInput!) {
  releaseEgressIpAddress(input: $input) { v4 v6 clientMutationId } }"""
MOVE = """mutation ($input: MoveAppInput!) { moveApp(input: $input) {
  app { id networkId organization { slug } } } }"""


async def data(api: Api, query: str, **variables: Any) -> Any:
    answer = await ask(api, query, **variables)
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.mark.parametrize(("token", "keys"), [("abc", 3), ("FlyV1 fm2_abc", 1)])
async def test_whoami(api: Api, token: str, keys: int) -> None:
    api.client.headers["authorization"] = token
    viewer = (await data(api, WHOAMI))["viewer"]
    assert viewer["email"] == "user@example.com"
    assert len(viewer) == keys


async def test_a_machine_is_found_without_its_app(api: Api) -> None:
    machine = await api.machine()
    found = (await data(api, MACHINE, machineId=machine["id"]))["gqlmachine"]
    assert (found["id"], found["app"]["name"]) == (machine["id"], "shop")
    found = (await data(api, MACHINE_EVENTS, machineId=machine["id"]))["gqlmachine"]
    assert [event["kind"] for event in found["events"]["nodes"]] == ["start", "launch"]
    missing = await ask(api, MACHINE, machineId="none")
    assert missing["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_a_volume_is_found_without_its_app(api: Api) -> None:
    volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()
    await api.post(f"/apps/shop/volumes/{volume['id']}/snapshots")
    found = (await data(api, VOLUME_APP, id=volume["id"]))["volume"]
    assert found == {"app": {"name": "shop"}, "state": "created"}
    assert (await data(api, APP_OF_VOLUME, id=volume["id"]))["volume"] == {"app": {"name": "shop"}}
    missing = await ask(api, APP_OF_VOLUME, id="vol_none")
    assert missing["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    (kept,) = (await data(api, SNAPSHOTS, id=volume["id"]))["volume"]["snapshots"]["nodes"]
    rest = (await api.get(f"/apps/shop/volumes/{volume['id']}/snapshots")).json()
    assert kept["id"] == rest[0]["id"]
    await api.delete(f"/apps/shop/volumes/{volume['id']}")
    assert (await data(api, VOLUME_APP, id=volume["id"]))["volume"]["state"] == "pending_destroy"


async def test_orgs_show_and_list(api: Api) -> None:
    shown = (await data(api, ORGANIZATION, slug="personal"))["organizationdetails"]
    assert shown["slug"] == "personal"
    (edge,) = shown["members"]["edges"]
    assert edge["node"]["email"] == "user@example.com"
    listed = (await call(api, "GET", "/organizations?admin=true")).json()["organizations"]
    assert [one["id"] for one in listed] == [shown["id"]]
    missing = await ask(api, ORGANIZATION, slug="nothing")
    assert missing["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


async def test_tokens_are_made_listed_and_revoked(api: Api) -> None:
    app = (await data(api, APP_COMPACT, appName="shop"))["appcompact"]
    made = await data(
        api,
        CREATE_TOKEN,
        name="ci",
        organizationId=app["organization"]["id"],
        profile="deploy",
        profileParams={"app_id": app["id"]},
        expiry="1h0m0s",
    )
    token = made["createLimitedAccessToken"]["limitedAccessToken"]["tokenHeader"]
    assert token.startswith("FlyV1 fm2_")
    (listed,) = (await data(api, TOKENS, appName="shop"))["appLimitedAccessTokens"][
        "limitedAccessTokens"
    ]["nodes"]
    assert (listed["name"], listed["revokedAt"]) == ("ci", None)
    headers = {"authorization": token}
    assert (await api.get("/apps/shop", headers=headers)).status_code == 200
    await data(api, REVOKE, input={"id": listed["id"]})
    assert (await api.get("/apps/shop", headers=headers)).status_code == 401


async def test_tokens_end(api: Api) -> None:
    made = (await api.post("/apps/shop/deploy_token", {"expiry": "1h"})).json()
    headers = {"authorization": made["token"]}
    api.later(3599)
    assert (await api.get("/apps/shop", headers=headers)).status_code == 200
    api.later(1)
    assert (await api.get("/apps/shop", headers=headers)).status_code == 401


async def test_a_token_that_somebody_narrowed_is_the_same_token(api: Api) -> None:
    made = (await api.post("/apps/shop/deploy_token", {"expiry": "2h"})).json()["token"]
    known = read_macaroon(made.removeprefix("FlyV1 "))
    assert known is not None
    assert known.not_after is not None
    narrowed = new_macaroon(known.key, ends=known.not_after - 3600)
    headers = {"authorization": f"FlyV1 {narrowed}"}
    assert (await api.get("/apps/shop", headers=headers)).status_code == 200
    await data(api, REVOKE, input={"token": made})
    assert (await api.get("/apps/shop", headers=headers)).status_code == 401
    made = (await api.post("/apps/shop/deploy_token", {"expiry": "2h"})).json()["token"]
    known = read_macaroon(made.removeprefix("FlyV1 "))
    assert known is not None
    headers = {"authorization": new_macaroon(known.key, ends=api.fly.clock.time() + 60)}
    assert (await api.get("/apps/shop", headers=headers)).status_code == 200
    api.later(60)
    assert (await api.get("/apps/shop", headers=headers)).status_code == 401


async def test_tokens_are_told_from_discharges_by_their_location(api: Api) -> None:
    made = (await api.post("/apps/shop/deploy_token", {})).json()["token"]
    body, headers = {"ticket": "dGlja2V0"}, {"authorization": "Bearer of-a-user"}
    path = "/aaa/v1/.well-known/macfly/3p"
    discharge = (await api.client.post(path, json=body, headers=headers)).json()["discharge"]
    locations = [b64decode(text.rpartition("fm2_")[2]) for text in (made, discharge)]
    assert [b"api.fly.io/aaa/v1" in each for each in locations] == [False, True]
    assert [b"api.fly.io/v1" in each for each in locations] == [True, False]


async def test_egress_addresses_of_machines_and_regions(api: Api) -> None:
    machine = await api.machine()
    wish = {"appId": "shop", "machineId": machine["id"]}
    pair = (await data(api, ALLOCATE_EGRESS, input=wish))["allocateEgressIpAddress"]
    wide = {"appId": "shop", "machineId": "", "region": "ams"}
    await data(api, ALLOCATE_EGRESS, input=wide)
    app = (await data(api, EGRESS, appName="shop"))["app"]
    (listed,) = app["machines"]["nodes"]
    assert [ip["ip"] for ip in listed["egressIpAddresses"]["nodes"]] == [pair["v4"], pair["v6"]]
    assert str(ip_address(pair["v6"])) == pair["v6"]  # flyctl shows it so, and asks for it so
    assert {ip["region"] for ip in app["egressIpAddresses"]["nodes"]} == {"ams"}
    again = await ask(api, ALLOCATE_EGRESS, input=wish)
    assert again["errors"][0]["extensions"] == {"code": "UNPROCESSABLE"}
    gone = await data(api, RELEASE_EGRESS, input=wish)
    assert gone["releaseEgressIpAddress"] == {**pair, "clientMutationId": None}
    first = app["egressIpAddresses"]["nodes"][0]["ip"]
    await data(api, RELEASE_EGRESS, input={"appId": "shop", "machineId": "", "ip": first})
    left = (await data(api, EGRESS, appName="shop"))["app"]
    assert len(left["egressIpAddresses"]["nodes"]) == 1


async def test_egress_addresses_of_a_machine_become_those_of_its_region(api: Api) -> None:
    machine = await api.machine()
    wish = {"appId": "shop", "machineId": machine["id"]}
    pair = (await data(api, ALLOCATE_EGRESS, input=wish))["allocateEgressIpAddress"]
    for ip in pair.values():
        path = f"/apps/shop/egress_ips/{ip}/promote"
        assert [(await call(api, "POST", path)).status_code for _ in range(2)] == [204, 404]
    app = (await data(api, EGRESS, appName="shop"))["app"]
    found = [(ip["ip"], ip["region"]) for ip in app["egressIpAddresses"]["nodes"]]
    assert found == [(ip, machine["region"]) for ip in pair.values()]
    assert app["machines"]["nodes"][0]["egressIpAddresses"]["nodes"] == []


async def test_apps_move() -> None:
    settings = EmulatorSettings(
        organizations=(Organization(slug="a", name="A"), Organization(slug="b", name="B")),
        tokens={"token": Principal(organizations=frozenset({"a", "b"}))},
    )
    clock = HandClock()
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app(org_slug="a")
            other = (await data(api, '{ organization(slug: "b") { id } }'))["organization"]["id"]
            wish = {"appId": "shop", "organizationId": other}
            moved = (await data(api, MOVE, input=wish))["moveApp"]["app"]
            assert moved["organization"] == {"slug": "b"}
            assert (await api.get("/apps/shop")).json()["organization"]["slug"] == "b"


async def test_older_clients_use_graphql_for_apps_and_secrets(api: Api) -> None:
    organization = (await data(api, '{ organization(slug: "personal") { id } }'))["organization"]
    create = """mutation($input: CreateAppInput!) { createApp(input: $input) { app {
      id name organization { slug } config { definition } regions { name code } } } }"""
    wish = {"name": "other", "organizationId": organization["id"]}
    made = (await data(api, create, input=wish))["createApp"]["app"]
    assert (made["id"], made["organization"]["slug"]) == ("other", "personal")
    taken = await ask(api, create, input=wish)
    assert taken["errors"][0]["extensions"] == {"code": "UNPROCESSABLE"}
    set_them = """mutation($input: SetSecretsInput!) { setSecrets(input: $input) {
      release { id version user { email } } } }"""
    secrets = [{"key": "A", "value": "b"}, {"key": "C", "value": "d"}]
    await data(api, set_them, input={"appId": "other", "secrets": secrets})
    unset = "mutation($input: UnsetSecretsInput!) { unsetSecrets(input: $input) { app { name } } }"
    await data(api, unset, input={"appId": "other", "keys": ["A"]})
    listed = '{ app(name: "other") { secrets { name digest createdAt } } }'
    assert [one["name"] for one in (await data(api, listed))["app"]["secrets"]] == ["C"]
    delete = "mutation($appId: ID!) { deleteApp(appId: $appId) { organization { id } } }"
    assert (await data(api, delete, appId="other"))["deleteApp"] == {"organization": organization}
    assert (await api.get("/apps/other")).status_code == 404


@pytest.mark.parametrize(
    "document",
    [
        (
            "mutation($input: RemoveWireGuardPeerInput!)"
            " { removeWireGuardPeer(input: $input) { organization { id } } }"
        ),
        (
            "mutation($input: CreateOrganizationInput!)"
            " { createOrganization(input: $input) { organization { id name slug } } }"
        ),
        (
            "mutation($input: IssueCertificateInput!)"
            " { issueCertificate(input: $input) { certificate key } }"
        ),
        (
            "mutation CreateAddOn($input: CreateAddOnInput!) { createAddOn(input: $input)"
            " { addOn { name publicUrl ssoLink environment primaryRegion } } }"
        ),
    ],
)
async def test_what_there_is_not_is_refused(api: Api, document: str) -> None:
    answer = await ask(api, document, input={"organizationId": "x", "name": "y"})
    assert answer["errors"][0]["extensions"] == {"code": "NOT_IMPLEMENTED"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ app { id } }", "NOT_FOUND"),
        ("{ app(name: null) { id } }", "NOT_FOUND"),
        ("{ organization { id } }", "NOT_FOUND"),
        ('{ organization(id: "x") { id } }', "NOT_FOUND"),
        ('{ node(id: "x") { id } }', "NOT_FOUND"),
        ('{ addOn(name: "x") { id } }', "NOT_FOUND"),
        ('{ organization(slug: "personal") { wireGuardPeer(name: "x") { id } } }', "NOT_FOUND"),
    ],
)
async def test_what_is_not_found(api: Api, document: str, code: str) -> None:
    assert (await ask(api, document))["errors"][0]["extensions"] == {"code": code}


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ viewer { id } }", "variables": []},
        {"query": "{ viewer { id } }", "variables": 3},
        {"query": "{ viewer { id } }", "operationName": 3},
    ],
)
async def test_strange_bodies_are_refused(api: Api, body: Any) -> None:
    assert (await api.client.post("/graphql", json=body)).status_code == (
        200 if body.get("variables") == [] else 400
    )


async def test_a_document_without_end(api: Api) -> None:
    answer = await ask(api, "{ organization { apps { nodes " * 2000)
    assert answer["errors"]


async def test_names_of_types(api: Api) -> None:
    query = '{ __typename viewer { __typename } app(name: "shop") { __typename } }'
    assert await data(api, query) == {
        "__typename": "Queries",
        "viewer": {"__typename": "User"},
        "app": {"__typename": "App"},
    }
