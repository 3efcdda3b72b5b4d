"""Pushes that are repeated: what the registry has of an image by then is not sent again."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from score_flyio.errors import ImageError
from score_flyio.images.build import Build, Progress, Tell
from score_flyio.images.logins import Login, Logins

PAUSES: Final = (1.0, 5.0, 15.0)
"""Seconds before each repeat; builders do not pass on how long a registry asks to wait."""
_PASSING: Final = re.compile(
    r"\b(?:429|50[0234])\b|too ?many ?requests|reset by peer|broken pipe|closed network connection"
    r"|\bEOF\b|i/o timeout|handshake timeout",
    re.IGNORECASE,
)
_REFUSED: Final = re.compile(r"\b401\b|unauthorized|authentication required", re.IGNORECASE)


async def pushed(
    build: Build,
    logins: Logins,
    tell: Tell,
    push: Callable[[Login | None], Awaitable[str]],
    *,
    repeats_itself: float = math.inf,
) -> str:
    """What `push` returns; it is called again after a failure that may pass, and with a new login.

    Not where it took so long that the builder `repeats_itself` by then, in seconds.

    Raises what `push` raises.
    """
    image = build.image
    for pause in PAUSES:
        began = anyio.current_time()
        login = await logins.find(image.host, image.repository)
        try:
            return await push(login)
        except ImageError as error:
            # Fly's tokens may end while a large image is on its way.
            ended = _REFUSED.search(error.message) is not None
            renewed = ended and login != await logins.find(image.host, image.repository)
            passes = not ended and _PASSING.search(error.message) is not None
            if not renewed and not (passes and anyio.current_time() - began < repeats_itself):
                raise
            reason = error.message.splitlines()[-1].strip()
            tell(Progress(text=f"{reason}: the push is repeated in {pause:g} s"))
        await anyio.sleep(pause)
    return await push(await logins.find(image.host, image.repository))
