"""`score-flyio destroy`: machines, volumes, addresses, apps, then resources."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.app_options import APPS, WHERE, chosen, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import options
from score_flyio.cli.dry_run import dry_run_option, show_plan
from score_flyio.cli.options import events_option, json_option, yes_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.project import Project
    from score_flyio.operations.apps import Chosen
    from score_flyio.state.model import ProjectState


@click.command("destroy", cls=Command)
@options(APPS, WHERE)
@click.option(
    "--keep-volumes", is_flag=True, help="Keep volumes, and with them the apps they belong to."
)
@yes_option
@dry_run_option
@events_option
@json_option
async def command(
    cli: CliContext,
    *,
    workloads: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    keep_volumes: bool,
    yes: bool,
    dry_run: bool,
    **place: Any,
) -> int:
    """Delete what workloads have: machines, volumes, addresses, apps, then resources.

    Without WORKLOAD, all workloads of the project. Says first what it will delete. The workloads
    stay in the project: `deploy` brings them back.
    """
    apps = await chosen(cli, workloads, configs, app)
    if dry_run:
        return await _show(cli, apps, keep_volumes=keep_volumes, **place)
    return await _destroy(cli, apps, keep_volumes=keep_volumes, yes=yes, **place)


async def destroy_workloads(cli: CliContext, names: Sequence[str], *, yes: bool) -> int:
    """Destroy some workloads of the project; returns the exit code."""
    return await _destroy(
        cli,
        await chosen(cli, names, (), None),
        keep_volumes=False,
        yes=yes,
        silent=True,
        target=None,
        emulate=False,
        org=None,
    )


async def _destroy(
    cli: CliContext,
    apps: Chosen,
    *,
    keep_volumes: bool,
    yes: bool,
    silent: bool = False,
    **place: Any,
) -> int:
    from score_flyio.cli.deploy_run import tell, tell_errors
    from score_flyio.cli.project import open_project
    from score_flyio.operations.destroy import destroy, plan_destruction

    project = open_project(cli)
    async with _locked(project, apps) as state, session(cli, **place) as visit:
        plan = await plan_destruction(visit, apps.apps, state, keep_volumes=keep_volumes)
        if not plan.empty:
            cli.output.stderr.write(f"{plan.describe()}\n")
            if not cli.confirm("Destroy all of this?", yes=yes):
                raise UsageError("nothing was destroyed", code="not_agreed")
        report = await destroy(visit, plan, project, state)
    if silent:
        tell_errors(cli, report)
    else:
        tell(cli, report, extra={"destroyed": plan.to_json()})
    return report.exit_code


async def _show(cli: CliContext, apps: Chosen, *, keep_volumes: bool, **place: Any) -> int:
    from score_flyio.operations.destroy import plan_destruction

    async with session(cli, **place) as visit:
        plan = await plan_destruction(visit, apps.apps, apps.state, keep_volumes=keep_volumes)
    return show_plan(
        cli,
        *(work.plan for work in plan.works),
        remarks=plan.remarks,
        empty=plan.empty,
        missing=[ref.app for ref in plan.missing],
        deprovision=[str(uid) for uid in plan.resources],
    )


@asynccontextmanager
async def _locked(project: Project, apps: Chosen) -> AsyncIterator[ProjectState | None]:
    if apps.state is None:
        yield None
        return
    async with project.locked("destroy") as state:
        yield state
