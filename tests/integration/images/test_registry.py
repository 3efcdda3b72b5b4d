"""The registry client against Debian's `docker-registry`."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator

import pytest

from score_flyio.base.secret import Secret
from score_flyio.errors import ImageError, ImageNotFound, RegistryDenied
from score_flyio.images.distribution import INDEXES, MANIFESTS, Registries
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.integration.images.conftest import PASSWORD, Registry
from tests.passwords import lasting

pytestmark = pytest.mark.anyio


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push(registry: Registry, repository: str, tag: str, *, media_type: str = MANIFESTS[0]) -> str:
    """An image from scratch, uploaded as the distribution specification has it."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(f"{repository}-{tag}"))
    layer = gzip.compress(tar.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [sha256(tar.getvalue())]},
        }
    ).encode()
    kind = "docker" if "docker" in media_type else "oci"
    config_type, layer_type = {
        "oci": (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
        "docker": (
            "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    }[kind]
    with registry.http as client:
        for blob in (layer, config):
            place = client.post(f"/v2/{repository}/blobs/uploads/").headers["location"]
            headers = {"content-type": "application/octet-stream"}
            url = f"{place}&digest={sha256(blob)}"
            client.put(url, content=blob, headers=headers).raise_for_status()
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": config_type, "size": len(config), "digest": sha256(config)},
            "layers": [{"mediaType": layer_type, "size": len(layer), "digest": sha256(layer)}],
        }
        return put(registry, repository, tag, manifest)


def put(registry: Registry, repository: str, tag: str, manifest: dict[str, object]) -> str:
    with registry.http as client:
        answer = client.put(
            f"/v2/{repository}/manifests/{tag}",
            content=json.dumps(manifest).encode(),
            headers={"content-type": str(manifest["mediaType"])},
        )
    return str(answer.raise_for_status().headers["docker-content-digest"])


@pytest.fixture
async def registries(registry: Registry) -> AsyncIterator[Registries]:
    logins = Logins({"FLY_REGISTRY_HOST": registry.host}, fly=lasting(Secret(PASSWORD)))
    async with Registries(logins, pauses=()) as client:
        yield client


def named(registry: Registry, rest: str) -> ImageReference:
    return ImageReference.parse(f"{registry.host}/{rest}")


@pytest.mark.parametrize("media_type", MANIFESTS)
async def test_a_name_means_the_digest_that_was_pushed(
    registry: Registry, registries: Registries, media_type: str
) -> None:
    digest = push(registry, "team/app", "one", media_type=media_type)
    image = named(registry, "team/app:one")
    assert await registries.resolve(image) == digest
    assert await registries.resolve(image.at(digest)) == digest
    manifest = await registries.manifest(image)
    assert (manifest.digest, manifest.media_type) == (digest, media_type)


@pytest.mark.parametrize("media_type", INDEXES)
async def test_an_index_is_looked_into(
    registry: Registry, registries: Registries, media_type: str
) -> None:
    kind = MANIFESTS[1 if "docker" in media_type else 0]
    digest = push(registry, "indexed", "plain", media_type=kind)
    size = len((await registries.manifest(named(registry, f"indexed@{digest}"))).content)
    entry = {"mediaType": kind, "digest": digest, "size": size}
    for tag, architecture in (("good", "amd64"), ("bad", "arm64")):
        platform = {"os": "linux", "architecture": architecture}
        manifests = [{**entry, "platform": platform}]
        index = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
        pushed = put(registry, "indexed", tag, index)
        if tag == "good":
            assert await registries.resolve(named(registry, "indexed:good")) == pushed
    with pytest.raises(ImageError, match="not for linux/amd64"):
        await registries.resolve(named(registry, "indexed:bad"))


async def test_what_is_not_there(registry: Registry, registries: Registries) -> None:
    push(registry, "there", "1")
    with pytest.raises(ImageNotFound, match="does not have it"):
        await registries.resolve(named(registry, "there:2"))
    with pytest.raises(ImageNotFound):
        await registries.resolve(named(registry, "nowhere"))


@pytest.mark.parametrize("fly", [None, Secret("wrong")])
async def test_without_a_login(registry: Registry, fly: Secret | None) -> None:
    logins = Logins({"FLY_REGISTRY_HOST": registry.host}, fly=None if fly is None else lasting(fly))
    async with Registries(logins, pauses=()) as client:
        with pytest.raises(RegistryDenied) as raised:
            await client.resolve(named(registry, "private"))
        assert raised.value.anonymous == (fly is None)
        with pytest.raises(RegistryDenied):
            await client.check_login(registry.host)


async def test_check_of_the_login(registry: Registry, registries: Registries) -> None:
    await registries.check_login(registry.host)


async def test_one_more_tag(registry: Registry, registries: Registries) -> None:
    digest = push(registry, "first", "1")
    tagged = await registries.tag(named(registry, "first:1"), "2")
    assert tagged.digest == digest == registry.digest("first", "2")
