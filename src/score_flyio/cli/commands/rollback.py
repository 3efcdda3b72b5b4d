"""`score-flyio rollback`: back to an earlier release."""

from __future__ import annotations

from typing import Any

import asyncclick as click

from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import WAITING, deploy_options, options, release_record_option
from score_flyio.cli.dry_run import dry_run_option, show_plan
from score_flyio.cli.one_app import named_app, names_one_app
from score_flyio.cli.options import events_option, json_option


@click.command("rollback", cls=Command)
@names_one_app()
@options(WAITING)
@release_record_option
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="N",
    help="The release to go back to; otherwise the one before the present one.",
)
@dry_run_option
@events_option
@json_option
async def command(cli: CliContext, *, to: int | None, dry_run: bool, **settings: Any) -> int:
    """Give the machines the exact images and configs of an earlier release, as a new release.

    Secrets, volumes and the number of machines stay as they are.
    """
    from score_flyio.cli.deploy_run import tell
    from score_flyio.deploy.observe import Wanted, observe_app
    from score_flyio.operations.apps import existing
    from score_flyio.operations.carry_out import Work, carry_out
    from score_flyio.operations.definition import definition_after
    from score_flyio.operations.rollback import plan_rollback

    named = await named_app(cli, settings)
    named.no_more()
    ref, how = named.ref, deploy_options(**settings)
    async with named.changing("rollback", dry_run=dry_run) as (visit, records):
        known = named.definition(visit)
        observed = existing(await observe_app(visit.client, ref.app, Wanted()), ref)
        back = await plan_rollback(
            visit, ref, observed, records.of(ref.app), to=to, options=how, definition=known
        )
        if dry_run:
            return show_plan(cli, back.plan, to=back.to)
        cli.output.info(f"{ref}: going back to release {back.to}")
        definition = definition_after(visit, ref, observed, back.plan, known)
        work = Work(plan=back.plan, options=how, definition=definition)
        report, results = await carry_out(visit, [work], recorder=records.recorder)
        await records.released(results.get(ref.app))
    tell(cli, report, extra={"to": back.to})
    return report.exit_code
