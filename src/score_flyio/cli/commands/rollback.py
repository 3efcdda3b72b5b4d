"""`score-flyio rollback`: back to an earlier release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.base.counted import counted
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.apps import named_app, names_one_app, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import WAITING, deploy_options, release_record_option
from score_flyio.cli.go_flags import whole_number
from score_flyio.cli.options import CHANGE, options, yes_option

if TYPE_CHECKING:
    from score_flyio.engine.operations.change import Change


@frozen(kw_only=True)
class RolledBack(Document):
    """Where a rollback goes."""

    to: int | None
    """The release that it goes back to."""


@click.command("rollback", cls=Command)
@names_one_app()
@options(WAITING)
@release_record_option
@click.option(
    "--to",
    type=whole_number(1),
    metavar="N",
    help="The release to go back to; otherwise the one before the present one.",
)
@yes_option
@options(CHANGE)
async def command(cli: CliContext, *, to: int | None, dry_run: bool, **settings: Any) -> int:
    """Give the machines the exact images and configs of an earlier release, as a new release.

    Secrets, volumes and the number of machines stay as they are. Process groups that left the app
    since come back; those that began since go, which needs --yes or an answer.
    """
    from score_flyio.cli.deploy_run import tell_change
    from score_flyio.engine.operations.rollback import rollback

    named = await named_app(cli, settings)
    ref, how = named.ref, deploy_options(**settings)

    async def tell_where(change: Change) -> None:
        back_to = change.plan.release.back_to
        cli.output.info(f"{ref}: going back to release {back_to}")
        if change.destroys:
            question = (
                f"Destroy {counted(len(change.destroys), 'machine')} of groups that it had not?"
            )
            cli.output.before_question(change.describe())
            await cli.agree(question, "nothing was changed")

    async with session(cli, silent=True) as visit:
        change = await rollback(visit, ref, to=to, options=how, before=tell_where, dry_run=dry_run)
    return tell_change(cli, change, RolledBack(to=change.plan.release.back_to))
