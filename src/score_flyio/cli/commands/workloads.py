"""`score-flyio workloads`: what the project knows of."""

from __future__ import annotations

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
    from score_flyio.cli.commands.destroy import destroy_workloads
    from score_flyio.engine.project import no_workloads
    from score_flyio.resources.plan import plan_resources, record_plan

    if destroy and (code := await destroy_workloads(cli, [name])):
        return code
    project = cli.project()
    resources: tuple[str, ...] = ()
    async with project.locked("workloads remove") as state:
        if name in state.workloads:
            before = {uid for uid, record in state.resources.items() if record.source_workload}
            del state.workloads[name]
            state.overridden.pop(name, None)
            orphans = record_plan(state, plan_resources(state.documents, ()))
            await project.store.save(state)
            resources = tuple(str(uid) for uid in orphans if uid in before)
        elif not destroy:
            raise no_workloads([name], state.workloads)
        app = state.app_name(name)
    if not destroy:
        kept = ", ".join([f"app {app}", *(f"resource {uid}" for uid in resources)])
        cli.output.info(f"forgot workload '{name}'; kept: {kept}")
    cli.output.result(Forgotten(workload=name, app=app, orphaned_resources=resources), "")
    return None
