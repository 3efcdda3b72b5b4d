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
    from score_flyio.engine import doctor
    from score_flyio.errors import RunInterrupted, ScoreFlyError, UsageError

    store = cli.project().store
    found: list[doctor.Diagnosis] = []
    chosen: Target | None = None
    try:
        chosen = target_of(cli)
        found.append(doctor.token(chosen))
        async with session(cli, silent=True) as visit:
            found += await doctor.examine(visit.client, chosen, cli.environ)
    except (RunInterrupted, UsageError):
        raise
    except ScoreFlyError as error:
        found.append(doctor.failed("api" if error.code in ADDRESS_WRONG else "token", error))
    found += [await doctor.builder(cli.environ, chosen), await doctor.examine_state(store)]
    healthy = all(diagnosis.ok for diagnosis in found)
    document = doctor.Diagnoses(ok=healthy, checks=tuple(found))
    cli.output.result(document, "\n".join(map(str, found)))
    return 0 if healthy else 1
