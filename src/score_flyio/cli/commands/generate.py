"""`score-flyio generate`: Score files to provisioned resources and fly.toml files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.command import Command
from score_flyio.cli.go_flags import nonempty
from score_flyio.cli.options import (
    OVERRIDES,
    events_option,
    flag_option,
    image_option,
    jobs_option,
    json_option,
    options,
    refresh_option,
)
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext
    from score_flyio.engine.output import Output
    from score_flyio.engine.selection import Selection


@click.command("generate", cls=Command)
@click.argument("files", type=nonempty, nargs=-1, metavar="[FILE]...")
@refresh_option
@options(OVERRIDES)
@image_option(
    metavar="[NAME=]IMAGE",
    help="The image that `.` stands for, or that of container NAME.",
)
@click.option(
    "--secrets-file",
    metavar="FILE",
    help="Write the secrets as fly secrets import reads them; - for stdout.",
)
@click.option("--output-dir", metavar="DIR", help="Where the fly.toml files go.")
@jobs_option(help="How many provisioners run at once; 10 unless given, new ones then one by one.")
@flag_option("--deploy", help="Deploy what was generated.")
@click.option(
    "--deploy-args",
    multiple=True,
    metavar="ARGS",
    help="Flags for the deploy, spelled as flyctl's; repeatable.",
)
@events_option
@json_option
async def command(
    cli: CliContext,
    *,
    files: tuple[str, ...],
    refresh: bool,
    overrides_file: str | None,
    override_properties: tuple[str, ...],
    image: str | None,
    secrets_file: str | None,
    output_dir: str | None,
    jobs: int | None,
    deploy: bool,
    deploy_args: tuple[str, ...],
) -> int:
    """Provision what workloads need and write their fly.toml files.

    Without FILE, all workloads of the project are generated again.
    """
    if secrets_file == "-" and cli.output.json:
        raise UsageError("--secrets-file - and --json both want stdout", hint="give one of them")
    if deploy_args and not deploy:
        raise UsageError("--deploy-args is for --deploy", hint="add --deploy")
    from score_flyio.engine.output import Output
    from score_flyio.engine.project import Overrides
    from score_flyio.engine.selection import Selection

    output = Output(project=cli.project(), folder=output_dir, secrets_file=secrets_file)
    flags: dict[str, Any] = {}
    if deploy:
        from score_flyio.cli.commands.deploy import flyctl_flags

        flags = await flyctl_flags(split_arguments(deploy_args))  # before anything is done
        flags |= {"jobs": jobs or flags["jobs"], "events": cli.events or flags["events"]}
        image = image or (flags["image"] if len(files) == 1 else None)
    overrides = Overrides(file=overrides_file, properties=override_properties, image=image)
    chosen = Selection(files=files, refresh=refresh, overrides=overrides)
    if deploy:
        from score_flyio.base.event_loop import event_loop

        await event_loop()
        from score_flyio.cli.deploy_run import deploy_run

        run = await deploy_run(cli, chosen, output=output, **flags)
        return await run.deploy(chosen)
    return await _generate(cli, chosen, output, jobs)


command.early = True


async def _generate(cli: CliContext, chosen: Selection, output: Output, jobs: int | None) -> int:
    from score_flyio.cli.render import follow
    from score_flyio.engine.generate import generate
    from score_flyio.events import EventLog

    try:
        async with follow(cli) as listener:
            now = cli.clock.time
            log = EventLog(now, listener)
            result = await generate(cli.project(), chosen, output, log.emit, now=now, jobs=jobs)
    finally:
        if output.stdout is not None:
            cli.output.write(output.stdout)
    cli.output.result(result, "")
    return 0


def split_arguments(values: Sequence[str]) -> list[str]:
    """`--deploy-args` as single arguments: each value is one, or several flags in one text."""
    from shlex import split

    arguments: list[str] = []
    for value in values:
        several = value.startswith("-") and re.search(r"\s", value)
        arguments += split(value) if several else [value]
    return arguments
