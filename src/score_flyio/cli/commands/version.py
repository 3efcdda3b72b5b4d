"""`score-flyio version`: what runs here."""

import asyncclick as click

from score_flyio._version import __version__
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import json_option


@frozen(kw_only=True)
class Version(Document):
    """What runs here."""

    version: str


@click.command("version", cls=Command)
@click.option("--no-logo", is_flag=True, hidden=True)
@click.option("--no-updates-check", is_flag=True, hidden=True)
@json_option
def command(cli: CliContext, no_logo: bool, no_updates_check: bool) -> None:
    """Print the version; nothing is asked for a newer one."""
    del no_logo, no_updates_check  # for scripts of other Score tools, which have both
    cli.output.result(Version(version=__version__), f"score-flyio {__version__}")
