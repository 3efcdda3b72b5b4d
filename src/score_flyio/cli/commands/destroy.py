"""`score-flyio destroy`: machines, volumes, addresses, apps, then resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.apps import APPS, chosen, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import CHANGE, WHERE, flag_option, options, yes_option

if TYPE_CHECKING:
    from score_flyio.engine.operations.apps import AppRef
    from score_flyio.engine.operations.destroy import Destruction


@click.command("destroy", cls=Command)
@options(APPS, WHERE)
@flag_option("--keep-volumes", help="Keep volumes, and with them the apps they belong to.")
@yes_option
@options(CHANGE)
async def command(cli: CliContext, *, keep_volumes: bool, dry_run: bool, **settings: Any) -> int:
    """Delete what workloads have: machines, volumes, addresses, apps, then resources.

    Without WORKLOAD, all workloads of the project. Says first what it will delete. The workloads
    stay in the project: `deploy` brings them back.
    """
    from score_flyio.cli.deploy_run import show_plan, tell
    from score_flyio.engine.operations.destroy import Destroyed, ToDestroy

    apps = await chosen(cli, **settings)
    plan = await _destroy(cli, apps, keep_volumes=keep_volumes, dry_run=dry_run)
    if plan.report is not None:
        tell(cli, plan.report, Destroyed(destroyed=plan.document()))
        return plan.report.exit_code
    return show_plan(
        cli,
        [work.plan for work in plan.works],
        ToDestroy(
            empty=plan.empty,
            missing=tuple(ref.app for ref in plan.missing),
            deprovision=tuple(map(str, plan.resources)),
        ),
        remarks=plan.remarks,
    )


async def destroy_workloads(cli: CliContext, names: Sequence[str]) -> int:
    """Destroy some workloads of the project; returns the exit code."""
    from score_flyio.cli.deploy_run import tell_errors

    plan = await _destroy(cli, await chosen(cli, names))
    if plan.report is None:
        return 0
    tell_errors(cli, plan.report)
    return plan.report.exit_code


async def _destroy(
    cli: CliContext, apps: Sequence[AppRef], *, keep_volumes: bool = False, dry_run: bool = False
) -> Destruction:
    from score_flyio.engine.operations.destroy import destroy

    async def agree(plan: Destruction) -> None:
        if plan.empty:
            for remark in plan.remarks:
                cli.output.info(remark)
            return
        cli.output.before_question(plan.describe())
        await cli.agree("Destroy all of this?", "nothing was destroyed")

    async with session(cli, silent=True) as visit:
        return await destroy(visit, apps, keep_volumes=keep_volumes, before=agree, dry_run=dry_run)
