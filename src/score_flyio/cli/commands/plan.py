"""`score-flyio plan`: what `deploy` would do."""

from __future__ import annotations

from typing import Any

import asyncclick as click

from score_flyio.base.record import evolve
from score_flyio.cli import plan_file
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import INPUTS, SETTINGS, selection
from score_flyio.cli.options import WHERE, flag_option, json_option, options, summary_option
from score_flyio.errors import UsageError

NO_CHANGES, NOT_PLANNED, CHANGES = 0, 1, 2


@click.command("plan", cls=Command)
@options(INPUTS, WHERE, SETTINGS)
@flag_option(
    "--detailed-exitcode",
    help="End with 2 where something would change, and with 1 where that cannot be said.",
)
@click.option(
    "--out",
    metavar="FILE.plan",
    help="Keep the plan in a file for `deploy FILE.plan`; -o means it too, where FILE has a dot.",
)
@summary_option
@json_option
async def command(
    cli: CliContext, detailed_exitcode: bool, out: str | None, **settings: Any
) -> int:
    """Show what deploy would do, from a fresh reading of Fly. Changes nothing.

    With --debug or --json, each step shows the API calls that it makes.

    FILE: Score files. Without FILE and --config, all workloads of the project.
    """
    from score_flyio.cli.deploy_run import deploy_run

    if cli.org and "." in cli.org:  # no organization has one in its name
        out, cli = cli.org, evolve(cli, org=None)
    kept = settings | cli.place
    if out is not None:
        if not out.endswith(plan_file.SUFFIX):
            raise UsageError(f"--out {out}: name it FILE{plan_file.SUFFIX}")
        cli.output_path("--out", out)
        plan_file.check_settings(kept)
    chosen = selection(settings, cli.environ)
    run = await deploy_run(cli, chosen, **settings)
    plan, code = await run.plan(chosen)
    if out is not None and not code:
        plan_file.write(cli, out, plan, run.target.name, kept)
    if detailed_exitcode:  # 2 is said of changes alone
        return NOT_PLANNED if code else NO_CHANGES if plan.empty else CHANGES
    return code
