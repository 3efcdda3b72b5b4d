"""`score-flyio workloads`: what the project knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncclick as click

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import (
    emulate_option,
    flag_option,
    format_option,
    json_option,
    yes_option,
)

if TYPE_CHECKING:
    from score_flyio.engine.project import Project
    from score_flyio.score.resources import ResourceUid
    from score_flyio.state.model import ProjectState

command = Group("workloads", help="List or remove the workloads of this project.")


@frozen(kw_only=True)
class Forgotten(Document):
    """A workload that was forgotten."""

    workload: str
    """Its name."""
    app: str
    """The name of its app, which stays."""
    orphaned_resources: tuple[str, ...]
    """Uids of resources that nobody uses now."""


@command.command("list")
@emulate_option
@format_option
@json_option
async def list_(cli: CliContext, form: str | None) -> None:
    """List the workloads, with their apps and Score files."""
    from score_flyio.state.shown import workloads_shown

    state = await cli.project().read()
    items = workloads_shown(state)
    rows = [[item.workload, item.app, item.file or ""] for item in items]
    cli.output.formatted(items, cli.output.table(["WORKLOAD", "APP", "FILE"], rows), form)


@command.command("remove")
@click.argument("name")
@flag_option("--destroy", help="Delete its app and its resources, too.")
@yes_option
@emulate_option
@json_option
async def remove(cli: CliContext, name: str, destroy: bool) -> int | None:
    """Forget a workload; its app and its resources stay unless --destroy is given."""
    project = cli.project()
    if destroy:
        from score_flyio.cli.commands.destroy import destroy_workloads

        code = await destroy_workloads(cli, [name])
        if code:
            return code
    async with project.locked("workloads remove") as state:
        if name in state.workloads or not destroy:
            app, orphans = await forget(project, state, name)
        else:
            app, orphans = state.app_name(name), ()
    resources = tuple(map(str, orphans))
    if not destroy:
        kept = ", ".join([f"app {app}", *(f"resource {uid}" for uid in resources)])
        cli.output.info(f"forgot workload '{name}'; kept: {kept}")
    cli.output.result(Forgotten(workload=name, app=app, orphaned_resources=resources), "")
    return None


async def forget(
    project: Project, state: ProjectState, name: str
) -> tuple[str, tuple[ResourceUid, ...]]:
    """Take a workload out of the state; returns its app and the resources nobody uses now.

    Raises UsageError for a name that the state does not have.
    """
    from score_flyio.engine.project import no_workloads
    from score_flyio.resources.plan import plan_resources, record_plan

    if name not in state.workloads:
        raise no_workloads([name], state.workloads)
    before = {uid for uid, record in state.resources.items() if record.source_workload}
    del state.workloads[name]
    state.overridden.pop(name, None)
    orphans = record_plan(state, plan_resources(state.documents, ()))
    await project.store.save(state)
    return state.app_name(name), tuple(uid for uid in orphans if uid in before)
