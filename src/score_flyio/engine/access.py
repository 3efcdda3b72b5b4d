"""The way to Fly for provisioners in this process, where no client is open yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from score_flyio.fly.client import FlyClient
    from score_flyio.resources.servers.access import FlyAccess


def access_from_environment(
    environ: Mapping[str, str],
    *,
    directory: Path,
    note: Callable[[str], None] = lambda _: None,
) -> FlyAccess:
    """Opens a client for each call, by the environment; `note` is told what is made."""
    from score_flyio.fly.organization import Organization
    from score_flyio.resources.servers.access import FlyAccess, region_of

    def connect() -> AbstractAsyncContextManager[FlyClient]:
        from random import Random

        from score_flyio.engine.target import Target

        target = Target.from_environment(environ, directory=directory)
        rng = Random()  # noqa: S311  # spreads retries, guards nothing
        return target.connect(emit=lambda _: None, rng=rng)  # provisioning has its own events

    return FlyAccess(
        connect=connect,
        region=region_of(environ),
        organization=lambda client: Organization(client, environ.get("FLY_ORG")).slug(),
        note=note,
    )
