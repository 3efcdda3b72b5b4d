"""`score-flyio rollback`: back to an earlier release."""

from __future__ import annotations

from typing import Any

import asyncclick as click

from score_flyio.cli.app_options import ONE, WHERE, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import WAITING, deploy_options, options
from score_flyio.cli.options import events_option, json_option


@click.command("rollback", cls=Command)
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD]")
@options(ONE, WHERE, WAITING)
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="N",
    help="The release to go back to; otherwise the one before the present one.",
)
@events_option
@json_option
async def command(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    to: int | None,
    **settings: Any,
) -> int:
    """Give the machines the exact images and configs of an earlier release, as a new release.

    Secrets, volumes and the number of machines stay as they are.
    """
    from score_flyio.cli.deploy_run import tell
    from score_flyio.cli.one_app import split
    from score_flyio.cli.project import open_project
    from score_flyio.deploy.observe import Wanted, observe_app
    from score_flyio.errors import UsageError
    from score_flyio.operations.apps import existing
    from score_flyio.operations.carry_out import Work, carry_out
    from score_flyio.operations.records import open_records
    from score_flyio.operations.rollback import plan_rollback

    apps, rest = await split(cli, arguments, configs, app)
    if rest:
        raise UsageError(f"unexpected argument {rest[0]!r}", hint="name one workload; see --help")
    ref = apps.single()
    place = {name: settings.pop(name) for name in ("target", "emulate", "org", "events_file")}
    how = deploy_options(**settings)
    async with (
        session(cli, **place) as visit,
        open_records(visit, open_project(cli), apps.state, "rollback") as records,
    ):
        observed = existing(await observe_app(visit.client, ref.app, Wanted()), ref)
        back = await plan_rollback(visit, ref, observed, records.of(ref.app), to=to, options=how)
        cli.output.info(f"{ref}: going back to release {back.to}")
        work = Work(plan=back.plan, options=how)
        report, results = await carry_out(visit, [work], recorder=records.recorder)
        await records.released(results.get(ref.app))
    tell(cli, report, extra={"to": back.to})
    return report.exit_code
