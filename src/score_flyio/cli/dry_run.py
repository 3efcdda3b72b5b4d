"""`--dry-run`: what a command would do, as `plan` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.context import CliContext

if TYPE_CHECKING:
    from score_flyio.deploy.planning.plan import AppPlan

dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    help="Show the plan, with --debug or --json each API call too, and change nothing.",
)


def show_plan(cli: CliContext, *plans: AppPlan, remarks: Sequence[str] = (), **members: Any) -> int:
    """Print the plans and lines beside them; `members` go into the JSON document."""
    from score_flyio.engine.planning import Plan

    plan = Plan(apps=plans)
    text = [plan.describe(show_calls=cli.debug)] if plans or not remarks else []
    cli.output.result(plan.to_json() | members, "\n".join((*text, *remarks)))
    return 0
