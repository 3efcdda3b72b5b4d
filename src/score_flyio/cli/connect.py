"""A client for the place that a command line talks about."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from score_flyio.cli.context import CliContext
from score_flyio.cli.render import follow
from score_flyio.events import EventLog

if TYPE_CHECKING:
    from score_flyio.engine.target import Target
    from score_flyio.fly.client import FlyClient


def chosen_target(cli: CliContext, target: str | None) -> Target:
    """`--target`, else what the environment says.

    Raises:
        ConfigError: unknown target, or no token.
    """
    from score_flyio.engine.target import Target

    if target is None:
        return Target.from_environment(cli.environ, directory=cli.directory)
    return Target.parse(target, cli.environ, directory=cli.directory)


@asynccontextmanager
async def connected(cli: CliContext, target: str | None) -> AsyncIterator[FlyClient]:
    """A client that tells of its retries and waits as fits the terminal."""
    async with follow(cli) as listener:
        log = EventLog(cli.clock.time, listener)
        rng = random.Random()  # noqa: S311  # spreads retries, guards nothing
        async with chosen_target(cli, target).connect(emit=log.emit, rng=rng) as client:
            yield client
