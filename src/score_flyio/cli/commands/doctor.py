"""`score-flyio doctor`: is everything there that a deploy needs?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncclick as click

from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import emulate_option, json_option, target_option

if TYPE_CHECKING:
    from score_flyio.engine.target import Target


ADDRESS_WRONG: Final = {"base_url_invalid", "target_unknown"}
"""Codes of errors before a token is looked for."""


@click.command("doctor", cls=Command)
@target_option
@emulate_option
@json_option
async def command(cli: CliContext) -> int:
    """Check token, API, organization, registry, image builder and state.

    One line each, with the fix. Ends with 1 where something is not as a deploy needs it.
    """
    from score_flyio.cli.apps import session, target_of
    from score_flyio.engine.doctor import (
        Diagnoses,
        Diagnosis,
        builder,
        examine,
        examine_state,
        failed,
        token,
    )
    from score_flyio.errors import RunInterrupted, ScoreFlyError, UsageError

    store = cli.project().store
    found: list[Diagnosis] = []
    chosen: Target | None = None
    try:
        chosen = target_of(cli)
        found.append(token(chosen))
        async with session(cli, silent=True) as visit:
            found += await examine(visit.client, chosen, cli.environ)
    except (RunInterrupted, UsageError):
        raise
    except ScoreFlyError as error:
        found.append(failed("api" if error.code in ADDRESS_WRONG else "token", error))
    found += [await builder(cli.environ, chosen), await examine_state(store)]
    healthy = all(diagnosis.ok for diagnosis in found)
    cli.output.result(Diagnoses(ok=healthy, checks=tuple(found)), "\n".join(map(str, found)))
    return 0 if healthy else 1
