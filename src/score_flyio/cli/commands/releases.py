"""`score-flyio releases`: what was deployed when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.app_options import APPS, WHERE, chosen, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import options
from score_flyio.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from score_flyio.operations.apps import Chosen
    from score_flyio.operations.releases import AppReleases
    from score_flyio.operations.session import Session


@click.command("releases", cls=Command)
@options(APPS, WHERE)
@json_option
async def command(
    cli: CliContext,
    *,
    workloads: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **place: Any,
) -> None:
    """List releases, newest first, and how many machines run each.

    Without WORKLOAD, those of all workloads of the project. What the project state does not know is
    read from the metadata of the machines, and from the versions that Fly lists of them.
    """
    apps = await chosen(cli, workloads, configs, app)
    async with session(cli, **place) as visit:
        found = await _read(visit, apps)
    cli.output.result([item.to_json() for item in found], _text(found))


async def _read(visit: Session, apps: Chosen) -> list[AppReleases]:
    from score_flyio.deploy.observe import Wanted, observe_app
    from score_flyio.operations.releases import list_releases
    from score_flyio.state.deployments import DeploymentRecord

    found = []
    for ref in apps.apps:
        observed = await observe_app(visit.client, ref.app, Wanted())
        known = apps.state.deployments.get(ref.app) if apps.state else None
        found.append(await list_releases(visit, ref, observed, known or DeploymentRecord()))
    return found


def _text(found: Sequence[AppReleases]) -> str:
    from score_flyio.base.clock import rfc3339
    from score_flyio.cli.output import table

    rows = [
        [
            item.ref.label,
            str(release.version),
            "-" if release.at is None else rfc3339(release.at),
            ", ".join(release.groups) or "-",
            str(item.machines.get(release.version, 0)),
            release.image or "-",
            ", ".join(release.sources),
        ]
        for item in found
        for release in item.releases
    ]
    titles = ["WORKLOAD", "RELEASE", "AT", "GROUPS", "MACHINES", "IMAGE", "KNOWN FROM"]
    return table(titles, rows) if rows else "no releases yet"
