"""What the machines of apps print."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import anyio

from score_flyio.base.record import frozen
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.session import Session
from score_flyio.errors import FlyConnectionError, FlyError, NotAuthorized, RateLimited, UsageError
from score_flyio.fly.errors import is_doubtful
from score_flyio.fly.logs import LogApi, LogLine, LogPage

EVERY: Final = 2.0
"""Seconds between looks at logs that are followed, while there are none."""
SOON: Final = 0.5
"""The same behind lines: more may be there than one answer has."""
FAILURES: Final = 10
"""Looks that may fail in a row while logs are followed, each after its own retries; as flyctl."""


@frozen(kw_only=True)
class LogFilter:
    """Which lines are wanted."""

    machine: str | None = None
    """The id of the only one; None: all."""
    region: str | None = None
    """The only one; None: all."""


async def read_logs(
    session: Session, ref: AppRef, wanted: LogFilter | None = None
) -> tuple[LogLine, ...]:
    """The newest lines of an app.

    Raises UsageError without logs at the target, and FlyError where the token does not reach them.
    """
    await observe(session, ref)
    return (await _page(_api(session), ref, wanted or LogFilter(), None)).lines


async def follow_logs(
    session: Session, ref: AppRef, wanted: LogFilter | None = None
) -> AsyncGenerator[LogLine, None]:
    """The newest lines of an app, and each line after them as it comes.

    What passes by itself ends it only when it goes on. Raises as `read_logs`.
    """
    await observe(session, ref)
    api, failures = _api(session), 0
    page = await _page(api, ref, wanted or LogFilter(), None)
    token = page.next_token
    while True:
        for line in page.lines:
            yield line
        await anyio.sleep(SOON if page.lines else EVERY)
        try:
            page = await _page(api, ref, wanted or LogFilter(), token)
        except FlyError as error:
            passes = is_doubtful(error) or isinstance(error, FlyConnectionError | RateLimited)
            failures += 1
            if not passes or failures > FAILURES:
                raise
            page = LogPage(lines=(), next_token=None)
        else:
            failures = 0
        token = page.next_token or token


def _api(session: Session) -> LogApi:
    if session.client.logs is None:
        raise UsageError(
            "the logs of this target cannot be read",
            hint="set FLY_API_BASE_URL to the address that serves /api/v1",
        )
    return session.client.logs


async def _page(api: LogApi, ref: AppRef, wanted: LogFilter, token: str | None) -> LogPage:
    try:
        return await api.page(ref.app, machine=wanted.machine, region=wanted.region, token=token)
    except NotAuthorized as error:
        refused = f"{error.hint}; " if error.status == 401 else ""
        error.hint = (
            f"{refused}the platform shows logs to tokens of an organization or a person: "
            "use one of those, or fly logs"
        )
        raise
