from __future__ import annotations

import anyio
import pytest

from score_flyio.errors import (
    ImageError,
    ImageNotFound,
    RegistryDenied,
    RegistryUnavailable,
)
from score_flyio.images.reference import ImageReference
from score_flyio.images.resolve import AT_ONCE, resolve_images

DIGEST = "sha256:" + "a" * 64


def named(*names: str) -> dict[str, ImageReference]:
    return {name: ImageReference.parse(name) for name in names}


async def digest(_image: ImageReference) -> str:
    return DIGEST


async def test_names_are_held_with_the_tag_that_they_mean() -> None:
    pinned = f"nginx:1@{DIGEST[:-1]}b"
    found = await resolve_images(named("nginx", "ghcr.io/acme/shop:2", pinned), digest)
    assert found.images == {
        "nginx": f"nginx:latest@{DIGEST}",
        "ghcr.io/acme/shop:2": f"ghcr.io/acme/shop:2@{DIGEST}",
        pinned: pinned,
    }
    assert not found.notes


async def test_all_are_asked_for_at_the_same_time() -> None:
    waiting = 0
    all_there = anyio.Event()

    async def ask(image: ImageReference) -> str:
        nonlocal waiting
        waiting += 1
        if waiting == AT_ONCE:
            all_there.set()
        await all_there.wait()
        return DIGEST

    with anyio.fail_after(10):
        await resolve_images(named(*(f"app:{number}" for number in range(AT_ONCE))), ask)


@pytest.mark.parametrize(
    "error",
    [
        RegistryUnavailable("down"),
        RegistryDenied("private", anonymous=True),
        ImageError("no helper", code="credential_helper_failed"),
    ],
)
async def test_where_nobody_can_be_asked_the_tag_stays_and_it_is_told_once(
    error: ImageError,
) -> None:
    async def ask(image: ImageReference) -> str:
        if image.host == "ghcr.io":
            raise error
        return DIGEST

    found = await resolve_images(named("ghcr.io/a/b:1", "ghcr.io/a/c:1", "nginx"), ask)
    assert found.images["ghcr.io/a/b:1"] == "ghcr.io/a/b:1"
    assert found.images["nginx"] == f"nginx:latest@{DIGEST}"
    (note,) = found.notes
    assert "ghcr.io" in note
    assert error.message in note


@pytest.mark.parametrize(
    "error",
    [
        RegistryUnavailable("down"),
        RegistryDenied("private", anonymous=True),
        RegistryDenied("another app's", anonymous=False),
        ImageError("no helper", code="credential_helper_failed"),
    ],
)
async def test_a_digest_needs_nobody_to_be_asked(error: ImageError) -> None:
    async def ask(_image: ImageReference) -> str:
        raise error

    pinned = f"ghcr.io/a/b:1@{DIGEST}"
    found = await resolve_images(named(pinned), ask)
    assert (found.images, found.missing, found.notes) == ({pinned: pinned}, {}, [])


@pytest.mark.parametrize(
    "error", [ImageNotFound("not there"), ImageError("for a Mac", code="image_platform")]
)
async def test_a_digest_of_what_cannot_run_is_told_as_for_tags(error: ImageError) -> None:
    async def ask(_image: ImageReference) -> str:
        raise error

    pinned = f"ghcr.io/a/b@{DIGEST}"
    found = await resolve_images(named(pinned), ask)
    assert (found.images, found.missing) == ({}, {pinned: error})


async def test_what_is_certain_not_to_run_is_told_for_each_name() -> None:
    errors: dict[str, ImageError] = {
        "docker.io": ImageNotFound("not there", hint="push it"),
        "ghcr.io": RegistryDenied("not allowed", anonymous=False),
    }

    async def ask(image: ImageReference) -> str:
        if image.host in errors:
            raise errors[image.host]
        return DIGEST

    found = await resolve_images(named("nginx:9", "ghcr.io/a/b", "quay.io/a/b"), ask)
    assert found.missing == {"nginx:9": errors["docker.io"], "ghcr.io/a/b": errors["ghcr.io"]}
    assert found.images == {"quay.io/a/b": f"quay.io/a/b:latest@{DIGEST}"}
    assert not found.notes
