from __future__ import annotations

import anyio
import pytest

from score_flyio.errors import (
    ImageError,
    ImageNotFound,
    InputError,
    RegistryDenied,
    RegistryUnavailable,
)
from score_flyio.images.reference import ImageReference
from score_flyio.images.resolve import AT_ONCE, resolve_images

DIGEST = "sha256:" + "a" * 64


async def digest(_image: ImageReference) -> str:
    return DIGEST


async def test_names_are_held_as_they_were_given() -> None:
    pinned = f"nginx:1@{DIGEST[:-1]}b"
    users = {"nginx": ["web"], "ghcr.io/acme/shop:2": ["shop", "jobs"], pinned: ["other"]}
    found = await resolve_images(users, digest)
    assert found.images == {
        "nginx": f"nginx@{DIGEST}",
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
        await resolve_images({f"app:{number}": [] for number in range(AT_ONCE)}, ask)


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

    users = {"ghcr.io/a/b:1": ["x"], "ghcr.io/a/c:1": ["y"], "nginx": ["z"]}
    found = await resolve_images(users, ask)
    assert found.images["ghcr.io/a/b:1"] == "ghcr.io/a/b:1"
    assert found.images["nginx"] == f"nginx@{DIGEST}"
    (note,) = found.notes
    assert "ghcr.io" in note
    assert error.message in note


async def test_what_is_missing_is_told_with_its_workloads() -> None:
    errors: dict[str, ImageError] = {
        "docker.io": ImageNotFound("not there", hint="push it"),
        "ghcr.io": RegistryDenied("not allowed", anonymous=False),
    }

    async def ask(image: ImageReference) -> str:
        if image.host in errors:
            raise errors[image.host]
        return DIGEST

    users = {"nginx:9": ["web", "other"], "ghcr.io/a/b": ["shop"], "quay.io/a/b": ["fine"]}
    with pytest.raises(ImageNotFound) as raised:
        await resolve_images(users, ask)
    assert [(p.message, p.subject, p.hint) for p in raised.value.problems] == [
        ("web, other: not there", "nginx:9", "push it"),
        ("shop: not allowed", "ghcr.io/a/b", None),
    ]
    assert "web, other: not there (push it)" in str(raised.value)


async def test_what_is_no_name_is_not_asked_for() -> None:
    with pytest.raises(InputError, match="spaces"):
        await resolve_images({"x y": ["web"]}, digest)
