"""What machines print, as the platform's log endpoint gives it.

The interface is not documented; path, members and tokens of pages are those that flyctl uses. Not
every token reaches it.
"""

from __future__ import annotations

from typing import Final

import anyio

from score_flyio.base.document import Document
from score_flyio.base.record import define, field, frozen
from score_flyio.errors import FlyError
from score_flyio.fly.sender import HttpSender
from score_flyio.fly.transport import web_operation

LAST_LINES: Final = 12
"""Lines of a machine that are told where it failed."""
PATIENCE: Final = 3.0
"""Seconds that a failure waits for them."""
_READ: Final = web_operation("logs", "GET", "/apps/{app_name}/logs")


@frozen(kw_only=True)
class LogLine(Document):
    """One line of a machine, or of the platform about it."""

    at: str
    """RFC 3339, as the platform writes it."""
    machine: str
    """Its id."""
    region: str
    """Where it is."""
    level: str
    """Such as `info`."""
    message: str
    """The line."""


@frozen(kw_only=True)
class LogPage:
    """Lines in their order, and the token of the lines after them."""

    lines: tuple[LogLine, ...]
    next_token: str | None


@define(kw_only=True)
class _Attributes:
    timestamp: str = ""
    message: str = ""
    level: str = ""
    instance: str = ""
    region: str = ""


@define(kw_only=True)
class _Row:
    attributes: _Attributes = field(factory=_Attributes)


@define(kw_only=True)
class _Meta:
    next_token: str | None = None


@define(kw_only=True)
class _Answer:
    data: list[_Row] = field(factory=list)
    meta: _Meta = field(factory=_Meta)


class LogApi:
    """Reads the logs of apps."""

    def __init__(self, sender: HttpSender) -> None:
        self._sender = sender

    async def page(
        self,
        app: str,
        *,
        machine: str | None = None,
        region: str | None = None,
        token: str | None = None,
    ) -> LogPage:
        """The newest lines, or those after `token`. Raises FlyError."""
        given = {"instance": machine, "region": region, "next_token": token}
        answer = await self._sender.send(
            _READ,
            _Answer,
            path={"app_name": app},
            query={name: value for name, value in given.items() if value},
        )
        lines = tuple(
            LogLine(
                at=found.timestamp,
                machine=found.instance,
                region=found.region,
                level=found.level,
                message=found.message,
            )
            for found in (row.attributes for row in answer.data)
        )
        return LogPage(lines=lines, next_token=answer.meta.next_token)

    async def last_lines(self, app: str, machine: str) -> tuple[str, ...]:
        """What a machine said last; nothing where the token does not reach it, or not in time."""
        with anyio.move_on_after(PATIENCE):
            try:
                page = await self.page(app, machine=machine)
            except FlyError:
                return ()
            return tuple(line.message for line in page.lines[-LAST_LINES:])
        return ()
