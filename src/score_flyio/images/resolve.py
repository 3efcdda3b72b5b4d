"""Which images the names of a run mean just now: all of them are asked for at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import anyio

from score_flyio.base.record import field, frozen
from score_flyio.errors import ImageError, RegistryDenied, RegistryUnavailable
from score_flyio.errors.unwrap import at_once
from score_flyio.images.reference import ImageReference, held

AT_ONCE: Final = 32
"""Most questions at one time."""


@frozen(kw_only=True)
class Resolved:
    """What the names of images mean."""

    images: Mapping[str, str]
    """`name:tag@digest` by name as it was given; the name itself where nobody could be asked."""
    missing: Mapping[str, ImageError] = field(factory=dict)
    """By name, why an image is certain not to run: it is not there, or we may not have it."""
    notes: Sequence[str] = ()
    """Why some go by their tag, each reason once."""


async def resolve_images(
    names: Mapping[str, ImageReference], ask: Callable[[ImageReference], Awaitable[str]]
) -> Resolved:
    """Hold images by the digests that their tags have now, and look at those that have one.

    `names` are as they were given; `ask`, as `Registries.resolve`, is asked once for each image.
    """
    images = {text: text for text in names}
    missing: dict[str, ImageError] = {}
    unknown: dict[str, ImageError] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(named: tuple[str, ImageReference]) -> None:
        text, reference = named
        try:
            async with limiter:
                digest = await ask(reference)
            if not reference.digest:
                images[text] = held(text, digest)
        except ImageError as error:
            if not _may_be_there(error, reference):
                missing[text] = error
            elif not reference.digest:
                unknown[text] = error

    await at_once(one, names.items())
    hosts = {names[text].host: unknown[text].message for text in names if text in unknown}
    return Resolved(
        images={text: image for text, image in images.items() if text not in missing},
        missing=missing,
        notes=[
            f"images of {host} go by their tags, which may be moved at any time: {why}"
            for host, why in hosts.items()
        ],
    )


def _may_be_there(error: ImageError, image: ImageReference) -> bool:
    """Whether the image may be there all the same, for Fly if not for us."""
    if isinstance(error, RegistryDenied):
        return error.anonymous or bool(image.digest)
    return isinstance(error, RegistryUnavailable) or error.code == "credential_helper_failed"
