"""Which images the names of a run mean just now: all of them are asked for at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import anyio
from attrs import frozen

from score_flyio.base.unwrap import unwrapped
from score_flyio.errors import (
    ImageError,
    ImageNotFound,
    Problem,
    RegistryDenied,
    RegistryUnavailable,
)
from score_flyio.images.reference import ImageReference

AT_ONCE: Final = 32
"""Most questions at one time."""

Ask: TypeAlias = Callable[[ImageReference], Awaitable[str]]
"""Asks for the digest of an image, as `Registries.resolve` does."""


@frozen(kw_only=True)
class Resolved:
    """What the names of images mean."""

    images: Mapping[str, str]
    """`name:tag@digest` by name as it was given; the name itself where nobody could be asked."""
    notes: Sequence[str] = ()
    """Why some go by their tag, each reason once."""


async def resolve_images(users: Mapping[str, Sequence[str]], ask: Ask) -> Resolved:
    """Hold images by the digests that their tags have now.

    Args:
        users: The workloads that use an image, by its name as it was given.
        ask: Asked once for each image that has no digest.

    Raises:
        ImageError: images that are not there, or that we may not have, with their workloads.
        InputError: what was given is not the name of an image.
    """
    references = {text: ImageReference.parse(text) for text in users}
    images = dict.fromkeys(users, "")
    missing: dict[str, ImageError] = {}
    unknown: dict[str, ImageError] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(text: str, reference: ImageReference) -> None:
        images[text] = text
        if reference.digest:
            return
        try:
            async with limiter:
                images[text] = f"{text}@{await ask(reference)}"
        except ImageError as error:
            (unknown if _goes_by_its_tag(error) else missing)[text] = error

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            for text, reference in references.items():
                tasks.start_soon(one, text, reference)
    if missing:
        raise _missing({text: missing[text] for text in users if text in missing}, users)
    hosts = {references[text].host: unknown[text] for text in users if text in unknown}
    return Resolved(images=images, notes=[_note(host, error) for host, error in hosts.items()])


def _goes_by_its_tag(error: ImageError) -> bool:
    """Whether the image may be there all the same, for Fly if not for us."""
    if isinstance(error, RegistryDenied):
        return error.anonymous
    return isinstance(error, RegistryUnavailable) or error.code == "credential_helper_failed"


def _note(host: str, error: ImageError) -> str:
    return f"images of {host} go by their tags, which may be moved at any time: {error.message}"


def _missing(failed: Mapping[str, ImageError], users: Mapping[str, Sequence[str]]) -> ImageError:
    problems = [
        Problem(
            message=f"{', '.join(users[text])}: {error.message}",
            subject=text,
            hint=error.hint,
            code=error.code,
        )
        for text, error in failed.items()
    ]
    first = next(iter(failed.values()))
    kind = ImageNotFound if isinstance(first, ImageNotFound) else ImageError
    return kind("\n".join(map(str, problems)), problems=problems, code=first.code)
