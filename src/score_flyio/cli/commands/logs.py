"""`score-flyio logs`: what the machines print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.apps import NamedApp, named_app, names_one_app
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.go_flags import Name
from score_flyio.cli.options import flag_option, json_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.operations.logs import LogFilter
    from score_flyio.engine.session import Session
    from score_flyio.fly.logs import LogLine


@click.command("logs", cls=Command)
@names_one_app()
@flag_option("-f", "--follow", help="Go on with each new line.")
@click.option("-i", "--machine", type=Name(), metavar="ID", help="Only the lines of this machine.")
@click.option(
    "-r", "--region", type=Name(), metavar="REGION", help="Only the lines of this region."
)
@json_option
async def command(
    cli: CliContext, *, follow: bool, machine: str | None, region: str | None, **settings: Any
) -> None:
    """Show what the machines of an app print, where the token reaches it.

    Without WORKLOAD, of the only workload of the project.
    """
    from score_flyio.engine.operations.logs import LogFilter, read_logs

    if follow and cli.output.json:
        raise UsageError("--follow and --json do not go together", hint="call logs repeatedly")
    named = await named_app(cli, settings)
    wanted = LogFilter(machine=machine, region=region)
    async with named.session() as visit:
        if follow:
            await _follow(cli, visit, named, wanted)
            return
        lines = await read_logs(visit, named.ref, wanted)
    text = "\n".join(map(_text, lines)) or "no lines"
    cli.output.result(lines, text)


async def _follow(cli: CliContext, visit: Session, named: NamedApp, wanted: LogFilter) -> None:
    from contextlib import aclosing

    from score_flyio.engine.operations.logs import follow_logs

    async with aclosing(follow_logs(visit, named.ref, wanted)) as lines:
        async for line in lines:
            cli.output.stdout.write(_text(line) + "\n")
            if cli.output.stdout.failure is not None:
                return


def _text(line: LogLine) -> str:
    where = f"{line.machine} {line.region}".strip()
    return " ".join(part for part in (line.at, where, f"[{line.level}]", line.message) if part)
