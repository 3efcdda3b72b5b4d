"""The registry of the emulator, at `/v2/`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from fly_emulator import Emulator, EmulatorSettings

pytestmark = pytest.mark.anyio
TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
async def fly() -> AsyncIterator[Emulator]:
    async with Emulator(EmulatorSettings(registry=True)) as emulator:
        yield emulator


@pytest.fixture
async def client(fly: Emulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=fly.transport(), base_url="http://127.0.0.1:5000", auth=("x", "fm2_any")
    ) as client:
        yield client


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def push(client: httpx.AsyncClient, repository: str, tag: str, *blobs: bytes) -> str:
    """An image of these blobs, the first one its configuration."""
    for blob in blobs:
        begun = await client.post(f"/v2/{repository}/blobs/uploads/")
        assert begun.status_code == 202
        place = begun.headers["location"]
        half = len(blob) // 2
        sent = await client.patch(place, content=blob[:half])
        assert sent.status_code == 202
        assert sent.headers["range"] == f"0-{max(half - 1, 0)}"
        done = await client.put(place, params={"digest": sha256(blob)}, content=blob[half:])
        assert done.status_code == 201
    parts = [{"digest": sha256(blob), "size": len(blob)} for blob in blobs]
    manifest = json.dumps({"schemaVersion": 2, "config": parts[0], "layers": parts[1:]}).encode()
    place = f"/v2/{repository}/manifests/{tag}"
    answer = await client.put(place, content=manifest, headers={"content-type": TYPE})
    assert answer.status_code == 201, answer.text
    assert answer.headers["docker-content-digest"] == sha256(manifest)
    return sha256(manifest)


async def test_what_was_pushed_is_there(client: httpx.AsyncClient) -> None:
    digest = await push(client, "team/app", "v1", b"config", b"layer")
    for reference in ("v1", digest):
        head = await client.head(f"/v2/team/app/manifests/{reference}")
        assert (head.status_code, head.headers["docker-content-digest"]) == (200, digest)
        assert head.headers["content-type"] == TYPE
        assert head.content == b""
        got = await client.get(f"/v2/team/app/manifests/{reference}")
        assert sha256(got.content) == digest
    assert (await client.get(f"/v2/team/app/blobs/{sha256(b'layer')}")).content == b"layer"
    assert (await client.get("/v2/team/app/tags/list")).json()["tags"] == ["v1"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/team/app/manifests/v2", "MANIFEST_UNKNOWN"),
        ("/v2/team/other/manifests/v1", "MANIFEST_UNKNOWN"),
        ("/v2/team/other/blobs/" + sha256(b"layer"), "BLOB_UNKNOWN"),
    ],
)
async def test_what_was_not(client: httpx.AsyncClient, path: str, code: str) -> None:
    await push(client, "team/app", "v1", b"config", b"layer")
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == code


async def test_what_is_refused(client: httpx.AsyncClient) -> None:
    place = (await client.post("/v2/app/blobs/uploads/")).headers["location"]
    wrong = await client.put(place, params={"digest": sha256(b"other")}, content=b"this")
    assert wrong.json()["errors"][0]["code"] == "DIGEST_INVALID"
    lacking = json.dumps({"config": {"digest": sha256(b"never")}, "layers": []}).encode()
    assert (await client.put("/v2/app/manifests/1", content=lacking)).status_code == 404
    assert (await client.put("/v2/app/manifests/1", content=b"[]")).status_code == 400
    assert (await client.get("/v2/app/manifests/1")).status_code == 404
    assert (await client.patch("/v2/app/blobs/uploads/none", content=b"x")).status_code == 404


async def test_a_blob_comes_from_another_repository(client: httpx.AsyncClient) -> None:
    await push(client, "one", "1", b"config", b"layer")
    query = {"mount": sha256(b"layer"), "from": "one"}
    assert (await client.post("/v2/two/blobs/uploads/", params=query)).status_code == 201
    assert (await client.head(f"/v2/two/blobs/{sha256(b'layer')}")).status_code == 200
    query["from"] = "three"
    assert (await client.post("/v2/two/blobs/uploads/", params=query)).status_code == 202


async def test_without_a_token_it_says_how_to_log_in(client: httpx.AsyncClient) -> None:
    client.auth = None  # type: ignore[assignment]
    answer = await client.get("/v2/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_as_a_mirror_it_has_all_images(client: httpx.AsyncClient, fly: Emulator) -> None:
    client.auth = None  # type: ignore[assignment]

    async def digest(tag: str) -> str:
        url = f"/v2/library/nginx/manifests/{tag}"
        answer = await client.get(url, params={"ns": "docker.io"})
        assert answer.headers["docker-content-digest"] == sha256(answer.content)
        return str(answer.headers["docker-content-digest"])

    first = await digest("1")
    assert first == fly.world.registries.reference("nginx:1")["digest"]
    assert await digest("2") != first
    fly.world.registries.push("nginx:1")
    assert await digest("1") != first


async def test_machines_run_what_was_pushed(client: httpx.AsyncClient, fly: Emulator) -> None:
    digest = await push(client, "app", "v1", b"config")
    assert fly.world.registries.reference("127.0.0.1:5000/app:v1")["digest"] == digest


async def test_an_image_that_no_registry_has() -> None:
    settings = EmulatorSettings(registry=True, missing_images=frozenset({"nginx:9"}))
    async with (
        Emulator(settings) as fly,
        httpx.AsyncClient(transport=fly.transport(), base_url="http://any") as client,
    ):
        url = "/v2/library/nginx/manifests/"
        found = [await client.head(url + tag, params={"ns": "docker.io"}) for tag in ("9", "8")]
        assert [each.status_code for each in found] == [404, 200]


async def test_without_a_registry_there_is_no_such_path() -> None:
    async with (
        Emulator() as fly,
        httpx.AsyncClient(transport=fly.transport(), base_url="http://any") as client,
    ):
        assert (await client.get("/v2/", auth=("x", "fm2_any"))).status_code == 404
