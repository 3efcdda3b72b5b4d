"""`score-flyio logs`: what the machines print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.apps import named_app, names_one_app, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.go_flags import nonempty
from score_flyio.cli.options import flag_option, json_option, region_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.fly.logs import LogLine


@click.command("logs", cls=Command)
@names_one_app()
@flag_option("-f", "--follow", help="Go on with each new line.")
@click.option(
    "-i", "--machine", type=nonempty, metavar="ID", help="Only the lines of this machine."
)
@region_option(help="Only the lines of this region.")
@json_option
async def command(
    cli: CliContext, *, follow: bool, machine: str | None, region: str | None, **settings: Any
) -> None:
    """Show what the machines of an app print, where the token reaches it.

    Without WORKLOAD, of the only workload of the project.
    """
    from contextlib import aclosing

    from score_flyio.engine.operations.logs import LogFilter, follow_logs, read_logs

    if follow and cli.output.json:
        raise UsageError("--follow and --json do not go together", hint="call logs repeatedly")
    named = await named_app(cli, settings)
    wanted = LogFilter(machine=machine, region=region)
    async with session(cli) as visit:
        if not follow:
            lines = await read_logs(visit, named.ref, wanted)
            cli.output.result(lines, "\n".join(map(_text, lines)) or "no lines")
            return
        async with aclosing(follow_logs(visit, named.ref, wanted)) as coming:
            async for line in coming:
                cli.output.stdout.write(_text(line) + "\n")
                if cli.output.stdout.failure is not None:
                    return


def _text(line: LogLine) -> str:
    where = f"{line.machine} {line.region}".strip()
    return " ".join(part for part in (line.at, where, f"[{line.level}]", line.message) if part)
