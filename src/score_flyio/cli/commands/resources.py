"""`score-flyio resources`: what was provisioned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import (
    emulate_option,
    events_option,
    flag_option,
    format_option,
    json_option,
    yes_option,
)
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.project import Project
    from score_flyio.score.resources import Outputs, ResourceUid
    from score_flyio.state.model import ProjectState

command = Group("resources", help="List, read or deprovision resources.")


@frozen(kw_only=True)
class Resource(Document):
    """A resource of the project."""

    uid: str
    """Type, class and id."""
    guid: str
    """Given to it when it was first asked for."""
    source_workload: str | None
    """The workload whose definition counts."""
    provisioner: str | None
    """What made it; null: nothing did yet."""
    outputs: Mapping[str, Any]
    """Values only, never secrets."""


@frozen(kw_only=True)
class Deprovisioned(Document):
    """What was taken away."""

    deprovisioned: tuple[str, ...]
    """Uids of resources."""


@command.command("list")
@emulate_option
@format_option
@json_option
async def list_(cli: CliContext, form: str | None) -> None:
    """List the resources that workloads asked for, with the names of their outputs."""
    state = await cli.project().read()
    resources = [
        Resource(
            uid=str(record.uid),
            guid=record.guid,
            source_workload=record.source_workload or None,
            provisioner=record.provisioner or None,
            outputs=dict(sorted(record.outputs.items())),
        )
        for _, record in sorted(state.resources.items())
    ]
    rows = [
        [r.uid, r.source_workload or "", r.provisioner or "", ", ".join(r.outputs)]
        for r in resources
    ]
    header = ["UID", "SOURCE WORKLOAD", "PROVISIONER", "OUTPUTS"]
    cli.output.formatted(resources, cli.output.table(header, rows), form)


@command.command("get-outputs")
@click.argument("uid")
@flag_option("--show-secrets", help="Show outputs that are secret.")
@emulate_option
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["json", "yaml"]),
    default="json",
    help="How to print them.",
)
@json_option
async def get_outputs(cli: CliContext, uid: str, show_secrets: bool, form: str) -> None:
    """Print the outputs of a resource.

    Secret outputs are kept nowhere: to know them, the resource is provisioned again.
    """
    from score_flyio.score.resources import reveal
    from score_flyio.yaml.writer import sorted_keys

    project = cli.project()
    if show_secrets:
        outputs = await _provisioned_again(cli, project, uid)
        document = dict(outputs.values) | reveal(dict(outputs.secrets))
    else:
        state = await project.read()
        document = state.resources[_known(uid, state)].outputs
    cli.output.formatted(sorted_keys(dict(document)), "", form)


async def _provisioned_again(cli: CliContext, project: Project, uid: str) -> Outputs:
    """The outputs with secrets, which no state keeps."""
    from score_flyio.cli.render import follow
    from score_flyio.events import EventLog
    from score_flyio.resources.plan import plan_resources, record_plan
    from score_flyio.resources.run import ResourceRun

    async with project.locked("resources get-outputs") as state, follow(cli) as listener:
        known = _known(uid, state)
        users = state.users(known)
        if not users:
            raise UsageError(
                f"no workload uses resource '{uid}' any more, so it cannot be provisioned again "
                "to know its secrets",
                hint="leave out --show-secrets",
                code="orphaned_resource",
            )
        plan = plan_resources(state.documents, users[:1]).only([known])
        record_plan(state, plan)
        run = ResourceRun(
            plan,
            state=state,
            store=project.store,
            registry=project.registry(state),
            emit=EventLog(cli.clock.time, listener).emit,
        )
        await run.run()
        return (await run.outputs([known]))[known]


@command.command("deprovision")
@click.argument("uid", required=False)
@flag_option("--all", "all_", help="Deprovision every resource.")
@yes_option
@events_option
@emulate_option
@json_option
async def deprovision(cli: CliContext, *, uid: str | None, all_: bool) -> None:
    """Take a resource away."""
    from score_flyio.cli.render import follow
    from score_flyio.events import EventLog
    from score_flyio.events.run import run_frame
    from score_flyio.resources.deprovision import Deprovisioning

    if (uid is None) != all_:
        raise UsageError("give either the UID of a resource, or --all")
    project = cli.project()
    now = cli.clock.time
    async with project.locked("resources deprovision") as state:
        before = set(state.resources)
        if all_ and before:
            cli.output.before_question("\n".join(f"  {uid}" for uid in sorted(before)))
            question = f"Deprovision these {len(before)} resources?"
            await cli.agree(question, "nothing was deprovisioned")
        known = None if uid is None else _known(uid, state)
        async with follow(cli) as listen:
            emit = EventLog(now, listen).emit
            work = Deprovisioning(
                state=state, store=project.store, registry=project.registry(state), emit=emit
            )
            with run_frame(emit, "resources deprovision", (), now=now) as frame:
                await (work.all(before) if known is None else work.one(known))
                frame.outcome = "done" if before - set(state.resources) else "unchanged"
        removed = tuple(sorted(map(str, before - set(state.resources))))
    cli.output.info(f"deprovisioned {', '.join(removed) or 'nothing'}")
    cli.output.result(Deprovisioned(deprovisioned=removed), "")


def _known(text: str, state: ProjectState) -> ResourceUid:
    from score_flyio.resources.deprovision import unknown_resource
    from score_flyio.score.resources import ResourceUid

    try:
        uid = ResourceUid.parse(text)
    except ValueError:
        raise unknown_resource(text, state) from None
    if uid not in state.resources:
        raise unknown_resource(uid, state)
    return uid
