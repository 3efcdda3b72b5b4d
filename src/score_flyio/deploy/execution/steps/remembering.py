"""The history of releases goes with each config, unless the platform does not take it.

How large metadata may be is not documented, so a refusal of it must not end a deploy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fly_machines import models
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.metadata import HISTORY
from score_flyio.deploy.releases.in_metadata import without_history
from score_flyio.errors import InvalidRequest
from score_flyio.events import WarningRaised

T = TypeVar("T")

_TOO_LARGE = 413


async def remembering(
    context: Context,
    config: models.FlyMachineConfig,
    send: Callable[[models.FlyMachineConfig], Awaitable[T]],
) -> T:
    """Sends a config; without the history of releases where the platform refuses that."""
    if HISTORY not in (config.metadata or {}):
        return await send(config)
    if context.history_refused:
        return await send(without_history(config))
    try:
        return await send(config)
    except InvalidRequest as refusal:
        if not _about_metadata(refusal):
            raise
        _tell(context, refusal)
        return await send(without_history(config))


def _tell(context: Context, refusal: InvalidRequest) -> None:
    """Warns once."""
    if context.history_refused:
        return
    context.history_refused = True
    context.emit(
        WarningRaised(
            scope=context.scope(),
            message="Fly does not take the history of releases into the metadata of machines:"
            f" {refusal.message}; the project state alone remembers them",
            code="history_refused",
        )
    )


def _about_metadata(refusal: InvalidRequest) -> bool:
    return refusal.status == _TOO_LARGE or "metadata" in refusal.answer.message.lower()
