"""`score-flyio status`: what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncclick as click

from score_flyio.base.printable import short_digests
from score_flyio.cli.apps import APPS, chosen, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import WHERE, flag_option, json_option, options
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.cli.output import Output
    from score_flyio.engine.operations.status import AppStatus, Status

WATCH_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[J"


@click.command("status", cls=Command)
@options(APPS, WHERE)
@flag_option("-w", "--watch", help="Read again every few seconds.")
@json_option
async def command(cli: CliContext, *, watch: bool, **settings: Any) -> int:
    """Show apps, machines, volumes, addresses and resources.

    Without WORKLOAD, all workloads of the project.
    """
    import anyio

    from score_flyio.cli.exit_codes import describe, to_text
    from score_flyio.engine.operations.apps import no_such_app
    from score_flyio.engine.operations.status import read_status

    if watch and cli.output.json:
        raise UsageError("--watch and --json do not go together", hint="call status repeatedly")
    apps = await chosen(cli, **settings)
    async with session(cli) as visit:
        while True:
            status = await read_status(visit, apps)
            if watch and cli.output.stdout.isatty():
                cli.output.stdout.write_raw(_CLEAR)
            cli.output.wrapped((status,), text_of(cli.output, status))
            if not watch or cli.output.stdout.failure is not None:
                break
            await anyio.sleep(WATCH_SECONDS)
        pairs = zip(apps, status.apps, strict=True)
        # what only the command line has the name of, which may be misspelt
        unknown = [r for r, app in pairs if not (r.declared or app.exists or app.error)]
        if unknown:
            error = describe(await no_such_app(visit, *unknown))
            cli.output.failure(error, to_text(error))
            return error.exit_code
    failed = [item for item in status.apps if item.error]
    if failed:
        told = [f"{item.label}: {item.error}" for item in failed]
        hints = dict.fromkeys(f"Hint: {item.hint}" for item in failed if item.hint)
        cli.output.error("\n".join((*told, *hints)))
    return 1 if failed else 0


def text_of(output: Output, status: Status) -> str:
    """The status for a person."""
    parts = [_app_text(output, app) for app in status.apps]
    if status.resources:
        rows = [
            [
                one.uid,
                one.provisioner or "-",
                "yes" if one.provisioned else "no",
                ", ".join(one.workloads) or "-",
            ]
            for one in status.resources
        ]
        header = ["RESOURCE", "PROVISIONER", "PROVISIONED", "WORKLOADS"]
        parts.append(output.table(header, rows))
    return "\n\n".join(parts) or "nothing to show"


def _app_text(output: Output, app: AppStatus) -> str:
    if app.error:
        return f"{app.label}: cannot be read"
    if not app.exists:
        return f"{app.label}: not deployed"
    lines = [f"{app.label}: {app.status or 'exists'}"]
    lines += [f"  {address.type}  {address.ip}" for address in app.addresses]
    lines += [f"  note: {note}" for note in app.notes]
    if app.machines:
        rows = [
            [
                m.id,
                m.group,
                m.region,
                m.state,
                m.checks,
                m.release or "-",
                short_digests(m.image),
                m.note,
            ]
            for m in app.machines
        ]
        header = ["MACHINE", "GROUP", "REGION", "STATE", "CHECKS", "RELEASE", "IMAGE", ""]
        lines += [output.table(header, rows, indent=2)]
    if app.volumes:
        volumes = [
            [v.id, v.name, v.region, f"{v.size_gb} GB", v.state, v.machine or "-"]
            for v in app.volumes
        ]
        header = ["VOLUME", "NAME", "REGION", "SIZE", "STATE", "MACHINE"]
        lines += [output.table(header, volumes, indent=2)]
    return "\n".join(lines)
