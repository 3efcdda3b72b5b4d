"""`score-flyio releases`: what was deployed when."""

from __future__ import annotations

from typing import Any

import asyncclick as click

from score_flyio.base.printable import short_digests
from score_flyio.cli.apps import APPS, chosen, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import WHERE, json_option, options


@click.command("releases", cls=Command)
@options(APPS, WHERE)
@json_option
async def command(cli: CliContext, **settings: Any) -> None:
    """List releases, newest first, and how many machines run each.

    Without WORKLOAD, those of all workloads of the project. What the project state does not know is
    read from the metadata of the machines, and from the versions that Fly lists of them.
    """
    from score_flyio.cli.render.wording import ago
    from score_flyio.engine.operations.releases import list_releases

    apps = await chosen(cli, **settings)
    async with session(cli) as visit:
        found = [await list_releases(visit, ref) for ref in apps]
    now = cli.clock.time()
    rows = [
        [
            item.ref.label,
            str(release.version),
            "-" if release.at is None else ago(now - release.at),
            ", ".join(release.groups) or "-",
            str(item.machines.get(release.version, 0)),
            short_digests(release.image or "-"),
            ", ".join(release.sources),
        ]
        for item in found
        for release in item.releases
    ]
    titles = ["WORKLOAD", "RELEASE", "AT", "GROUPS", "MACHINES", "IMAGE", "KNOWN FROM"]
    cli.output.result(found, cli.output.table(titles, rows) if rows else "no releases yet")
