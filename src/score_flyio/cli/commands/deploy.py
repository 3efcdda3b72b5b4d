"""`score-flyio deploy`: everything from Score files or fly.toml files to healthy machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncclick as click

from score_flyio.cli import plan_file
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import INPUTS, SETTINGS, selection
from score_flyio.cli.go_flags import nonempty
from score_flyio.cli.options import (
    OUTPUT,
    WHERE,
    dry_run_option,
    events_option,
    flag_option,
    jobs_option,
    json_option,
    options,
    section,
    summary_option,
)
from score_flyio.errors import UsageError

RUN = (
    *section(
        "Images",
        flag_option("--build-only", help="Build images, and deploy nothing."),
        flag_option("--push", help="With --build-only: push the images, too."),
        flag_option("--local-only", help="Build here, never at Fly."),
        flag_option("--remote-only", help="Build at Fly, as with --builder fly."),
    ),
    *section(
        "How machines are changed",
        jobs_option(help="Provisioners at once."),
    ),
    *section(
        OUTPUT,
        click.option(
            "--report", type=nonempty, metavar="FILE.html", help="Write a report to look at."
        ),
    ),
    events_option,
    summary_option,
)
"""How the run is carried out and told of."""


@click.command("deploy", cls=Command)
@options(INPUTS, WHERE, SETTINGS)
@dry_run_option
@options(RUN)
@json_option
async def command(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Provision, create and update everything, and wait until it is healthy.

    FILE: Score files, or one FILE.plan of plan --out: what was planned is done, unless Fly or a
    file changed since. Without FILE and --config, all workloads of the project.
    """
    from score_flyio.cli.deploy_run import deploy_run

    defaults = {param.name or "": param.default for param in command.params}
    kept, settings = plan_file.read(cli, settings | cli.place, defaults)
    chosen = selection(settings, cli.environ)
    run = await deploy_run(cli, chosen, **settings)
    if dry_run:
        _, code = await run.plan(chosen, kept)
        return code
    return await run.deploy(chosen, kept)


async def flyctl_flags(arguments: Sequence[str]) -> dict[str, Any]:
    """Flags spelled as flyctl's, without those that say what is deployed: for `--deploy-args`.

    Raises UsageError: an unknown flag, or one with a wrong value.
    """
    from score_flyio.cli.usage import told

    @click.command("deploy", cls=Command)
    @options(WHERE, SETTINGS, RUN)
    async def flags(_cli: CliContext, **_settings: Any) -> None:
        """Only its options count."""

    try:
        context = await flags.make_context("score-flyio deploy", list(arguments), obj={})
    except click.UsageError as error:
        message, hint = told(error)
        raise UsageError(f"--deploy-args: {message}", hint=hint) from error
    if context.obj.get("access_token"):
        raise UsageError(
            "--deploy-args: --access-token is an option of generate itself",
            hint="give it outside of --deploy-args",
        )
    kept = ("target", "emulate", "org", "events", "summary")
    return {**context.params, **{name: context.obj.get(name) for name in kept}}
