"""`score-flyio version`: what runs here."""

import asyncclick as click

from score_flyio._version import __version__
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import flag_option, json_option


@frozen(kw_only=True)
class Version(Document):
    """What runs here."""

    version: str


@click.command("version", cls=Command)
# Scripts of other Score tools give both.
@flag_option("--no-logo", hidden=True, expose_value=False)
@flag_option("--no-updates-check", hidden=True, expose_value=False)
@json_option
def command(cli: CliContext) -> None:
    """Print the version; nothing is asked for a newer one."""
    cli.output.result(Version(version=__version__), f"score-flyio {__version__}")
