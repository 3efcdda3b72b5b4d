"""`score-flyio schema`: what programs can rely on in `--json` and `--events`."""

from __future__ import annotations

import asyncclick as click

from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.errors import UsageError


@click.command("schema", cls=Command)
@click.argument("words", nargs=-1, metavar="[COMMAND|events]")
def command(cli: CliContext, words: tuple[str, ...]) -> None:
    """Print the JSON Schema of what COMMAND --json prints, or of a line of --events.

    Without COMMAND, all of them, by command.
    """
    from score_flyio.cli.schemas import EVENTS, FORMS, schema_of

    name = " ".join(words)
    if not words:
        cli.output.document({each: schema_of(each) for each in (*FORMS, EVENTS)})
        return
    if name not in {*FORMS, EVENTS}:
        raise UsageError(
            f"{name!r} is not a command with --json",
            hint=f"one of {', '.join((*FORMS, EVENTS))}",
            code="no_schema",
        )
    cli.output.document(schema_of(name))
