"""How provisioners of servers get at Fly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from score_flyio.base.record import frozen
from score_flyio.fly.client import FlyClient

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[FlyClient]]

TOKEN_VARIABLES = ("FLY_API_TOKEN", "FLY_ACCESS_TOKEN")
REGION_VARIABLES = ("FLY_REGION_NAME", "FLY_REGION")


async def nearest_region(client: FlyClient) -> str | None:
    """The one that the platform has nearest to the caller."""
    answer = await client.api.platform_regions_get()
    return answer.Nearest or answer.nearest


@frozen(kw_only=True)
class FlyAccess:
    """A way to the Machines API, and where new servers go."""

    connect: Connect
    """Opens a client; may raise ConfigError, when there is no token."""
    organization: Callable[[FlyClient], Awaitable[str]]
    """Gives the organization of new apps."""
    region: str | None = None
    """Of new servers; None: `nearest` gives one."""
    nearest: Callable[[FlyClient], Awaitable[str | None]] | None = None
    """Gives the region where nobody asks for one; None: somebody has to."""
    note: Callable[[str], None] = lambda _: None
    """Is told what is made, without secrets."""


def region_of(environ: Mapping[str, str]) -> str | None:
    """The region that the environment asks for."""
    name = region_variable(environ)
    return environ[name] if name else None


def region_variable(environ: Mapping[str, str]) -> str | None:
    """The variable that asks for it."""
    return next((name for name in REGION_VARIABLES if environ.get(name)), None)
