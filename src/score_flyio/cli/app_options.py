"""The options by which commands name apps, and what they stand for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncclick as click

from score_flyio.cli.context import CliContext
from score_flyio.cli.options import app_option, org_option, target_option

if TYPE_CHECKING:
    from score_flyio.operations.apps import Chosen
    from score_flyio.operations.session import Session

config_option = click.option(
    "-c",
    "--config",
    "configs",
    multiple=True,
    metavar="FILE",
    help="A fly.toml that names the app, instead of a workload.",
)
emulate_option = click.option(
    "--emulate", is_flag=True, help="Use the emulator kept under .score-flyio/emulator."
)
APPS: Final = (
    click.argument("workloads", nargs=-1, metavar="[WORKLOAD]..."),
    config_option,
    app_option,
)
"""Any number of apps; without any, all workloads of the project."""
ONE: Final = (config_option, app_option)
"""One app, beside arguments of the command's own."""
WHERE: Final = (org_option, target_option, emulate_option)
"""Where the apps are."""


async def chosen(
    cli: CliContext, workloads: Sequence[str], configs: Sequence[str], app: str | None
) -> Chosen:
    """The apps that the command line names."""
    from score_flyio.cli.project import open_project
    from score_flyio.operations.apps import choose_apps

    return await choose_apps(open_project(cli), workloads, configs=configs, app=app)


@asynccontextmanager
async def session(
    cli: CliContext,
    *,
    target: str | None,
    emulate: bool,
    org: str | None,
    events_file: str | None = None,
) -> AsyncIterator[Session]:
    """A visit to the place that the command line names, shown as fits the terminal."""
    from score_flyio.cli.place import target_of
    from score_flyio.cli.render import follow
    from score_flyio.operations.session import open_session

    place = target_of(cli, target=target, emulate=emulate, org=org)
    async with (
        follow(cli, events_file) as listener,
        open_session(place, listener, clock=cli.clock) as visit,
    ):
        yield visit
