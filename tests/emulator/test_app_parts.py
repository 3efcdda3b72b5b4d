"""Addresses, certificates, regions, placements and lists of organizations."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from tests.emulator.client import CONFIG, Api


@pytest.mark.parametrize(
    ("kind", "start", "shared"),
    [
        ("v4", "137.", False),
        ("v6", "2a09:", False),
        ("shared_v4", "66.", True),
        ("private_v6", "fdaa:", False),
    ],
)
async def test_addresses(api: Api, kind: str, start: str, shared: bool) -> None:
    path = "/apps/shop/ip_assignments"
    body = {"type": kind, "region": "", "org_slug": "personal", "network": "", "service_name": ""}
    answer = await api.post(path, body)
    assert answer.status_code == 200
    assert answer.json()["ip"].startswith(start)
    assert str(ip_address(answer.json()["ip"])) == answer.json()["ip"]
    assert (answer.json()["shared"], answer.json()["region"]) == (shared, "global")
    assert (await api.get(path)).json() == {"ips": [answer.json()]}
    address = answer.json()["ip"].replace(":", "%3A")
    assert (await api.delete(f"{path}/{address}")).status_code == 204
    assert (await api.delete(f"{path}/{address}")).status_code == 404
    assert (await api.get(path)).json() == {"ips": []}


async def test_addresses_differ_and_the_shared_one_comes_once(api: Api) -> None:
    path = "/apps/shop/ip_assignments"
    found = [
        (await api.post(path, {"type": kind})).json()["ip"] for kind in ("v4", "v4", "v6", "v6")
    ]
    assert len(set(found)) == 4
    assert (await api.post(path, {"type": "shared_v4"})).status_code == 200
    assert (await api.post(path, {"type": "shared_v4"})).status_code == 422


async def test_addresses_for_connections_to_the_outside_are_listed_too(api: Api) -> None:
    path = "/apps/shop/ip_assignments"
    pair = (await api.post(path, {"type": "egress_pair", "region": "ams"})).json()["ip_pair"]
    listed = (await api.get(path)).json()["ips"]
    assert [(ip["ip"], ip["egress"], ip["region"]) for ip in listed] == [
        (pair["v4"], True, "ams"),
        (pair["v6"], True, "ams"),
    ]
    assert (await api.delete(f"{path}/{pair['v4']}")).status_code == 204
    assert [ip["ip"] for ip in (await api.get(path)).json()["ips"]] == [pair["v6"]]


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"type": "v5"}, 422), ({"type": "v4", "region": "x"}, 422)]
)
async def test_addresses_are_checked(api: Api, body: dict[str, Any], status: int) -> None:
    assert (await api.post("/apps/shop/ip_assignments", body)).status_code == status


async def test_an_acme_certificate(api: Api) -> None:
    path = "/apps/shop/certificates"
    created = await api.post(f"{path}/acme", {"hostname": "*.example.com"})
    assert created.status_code == 201
    assert (created.json()["status"], created.json()["configured"]) == ("pending_validation", False)
    challenge = created.json()["dns_requirements"]["acme_challenge"]
    assert challenge["name"] == "_acme-challenge.example.com"
    host = f"{path}/%2A.example.com"
    checked = (await api.post(f"{host}/check")).json()
    assert (checked["status"], checked["configured"]) == ("active", True)
    assert "dns_records" in checked
    assert checked["certificates"] == []
    api.later(5)
    assert (await api.get(host)).json()["certificates"][0]["source"] == "fly"
    assert (await api.delete(host)).status_code == 204
    assert (await api.get(host)).status_code == 404


async def test_a_custom_certificate_beside_it(api: Api) -> None:
    path = "/apps/shop/certificates"
    pem = "-----BEGIN X-----"
    body = {"hostname": "a.example.com", "fullchain": pem, "private_key": pem}
    assert (await api.post(f"{path}/custom", {**body, "private_key": "x"})).status_code == 422
    assert (await api.post(f"{path}/custom", body)).json()["status"] == "active"
    assert (await api.post(f"{path}/acme", {"hostname": "a.example.com"})).status_code == 201
    host = f"{path}/a.example.com"
    assert (await api.delete(f"{host}/acme")).json()["acme_requested"] is False
    assert (await api.delete(f"{host}/custom")).json()["warning"]


async def test_certificates_come_in_pages(api: Api) -> None:
    path = "/apps/shop/certificates"
    names = [f"{letter}.example.com" for letter in "abc"]
    for name in names:
        await api.post(f"{path}/acme", {"hostname": name})
    first = (await api.get(f"{path}?limit=2")).json()
    assert (first["total_count"], len(first["certificates"])) == (3, 2)
    rest = (await api.get(f"{path}?limit=2&cursor={first['next_cursor']}")).json()
    found = [c["hostname"] for c in first["certificates"] + rest["certificates"]]
    assert (found, rest["next_cursor"]) == (names, "")


async def test_regions_and_placements(api: Api) -> None:
    document = (await api.get("/platform/regions")).json()
    assert document["Nearest"] == "iad"
    assert len(document["Regions"]) == 18
    body = {"org_slug": "personal", "region": "fra,any", "count": 3}
    placed = (await api.post("/platform/placements", body)).json()["regions"]
    assert [(row["region"], row["count"]) for row in placed] == [("fra", 3)]
    assert (
        await api.post("/platform/placements", {"org_slug": "personal", "region": "x"})
    ).status_code == 400
    assert (await api.post("/platform/placements", {})).status_code == 400


@pytest.mark.parametrize("kind", ["machines", "volumes"])
async def test_lists_of_an_organization(api: Api, kind: str) -> None:
    await api.app("other")
    ids = []
    for name in ("shop", "other", "shop"):
        body = {"config": CONFIG, "skip_launch": True} if kind == "machines" else {"name": "data"}
        ids.append((await api.post(f"/apps/{name}/{kind}", body)).json()["id"])
        api.later(1)
    path = f"/orgs/personal/{kind}"
    everything = (await api.get(path)).json()
    assert [row["id"] for row in everything[kind]] == ids
    assert [row["app_name"] for row in everything[kind]] == ["shop", "other", "shop"]
    assert everything["next_cursor"] == ""
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await api.get(path, params={"limit": "1", "cursor": cursor})).json()
        found += [row["id"] for row in page[kind]]
        cursor = page["next_cursor"]
    assert (found, cursor) == (ids, "")
    newer = (
        await api.get(path, params={"updated_after": everything[kind][1]["updated_at"]})
    ).json()
    assert [row["id"] for row in newer[kind]] == ids[2:]
    assert (await api.get(f"{path}?region=fra")).json()[kind] == []
    assert (await api.get(f"/orgs/nobody/{kind}")).status_code == 404


async def test_lists_of_an_organization_lag_behind(api: Api) -> None:
    machine = (await api.post("/apps/shop/machines", {"config": CONFIG})).json()["id"]
    volume = (await api.post("/apps/shop/volumes", {"name": "data"})).json()["id"]

    async def shown() -> tuple[list[str], list[str], list[int]]:
        machines = (await api.get("/orgs/personal/machines")).json()["machines"]
        volumes = (await api.get("/orgs/personal/volumes")).json()["volumes"]
        apps = (await api.get("/apps?org_slug=personal")).json()["apps"]
        counted = [app["machine_count"] for app in apps if app["name"] == "shop"]
        return [row["id"] for row in machines], [row["id"] for row in volumes], counted

    api.later(0.5)
    assert await shown() == ([], [], [0])
    assert (await api.get("/apps/shop")).json()["machine_count"] == 1
    api.later(0.5)
    assert await shown() == ([machine], [volume], [1])


async def test_deploy_tokens(api: Api) -> None:
    assert (await api.post("/apps/shop/deploy_token", {})).json()["token"].startswith("FlyV1 ")
