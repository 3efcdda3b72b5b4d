"""`score-flyio init`: start a project."""

from __future__ import annotations

import asyncclick as click

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import flag_option, json_option
from score_flyio.errors import UsageError


@frozen(kw_only=True)
class Initialised(Document):
    """A project."""

    created: bool
    """Whether it was begun now."""
    app_prefix: str
    """Start of the names of its apps."""
    sample: str | None
    """The sample Score file that was written."""
    provisioners: tuple[str, ...]
    """Files of provisioners that were installed."""


@click.command("init", cls=Command)
@click.option(
    "-f",
    "--file",
    "sample",
    default="score.yaml",
    show_default=True,
    metavar="FILE",
    help="Where to write a sample Score file if there is none; empty text: nowhere.",
)
@flag_option("--no-sample", help="Write no sample Score file.")
@click.option(
    "--fly-app-prefix",
    "prefix",
    metavar="PREFIX",
    help="Start of all app names; needed the first time, and fixed from then on.",
)
@click.option(
    "--provisioners",
    "sources",
    multiple=True,
    metavar="FILE|FOLDER|URL",
    help="Files of provisioners to install, before those that are there; - is stdin. Repeatable.",
)
@click.option(
    "--default-provisioners/--no-default-provisioners",
    "defaults",
    default=None,
    help="Whether those that come with score-flyio serve what no other does; on at first.",
)
@click.option("--patch-templates", multiple=True, hidden=True, metavar="FILE")
@json_option
async def command(
    cli: CliContext,
    *,
    sample: str,
    no_sample: bool,
    prefix: str | None,
    sources: tuple[str, ...],
    defaults: bool | None,
    patch_templates: tuple[str, ...],
) -> None:
    """Start a project in this folder; what is there already stays."""
    from score_flyio.resources.template.files import fetch

    if patch_templates:
        raise UsageError(
            "--patch-templates changes Compose files and Kubernetes manifests; there are none here",
            hint="change the Score file with --overrides-file, or the app with annotations",
        )
    if sample and not no_sample and not (cli.directory / sample).exists():
        cli.output_path("--file", sample)
    project = cli.project()
    done = await project.init(
        prefix, sample=None if no_sample else sample, default_provisioners=defaults
    )
    state = await project.read()
    if done.created:
        cli.output.info(f"started a project with app prefix {state.app_prefix!r}")
    else:
        cli.output.info("this project was started before; its state stays")
    if done.sample:
        cli.output.info(f"wrote a sample Score file to {done.sample}")
    contents = [
        found
        for source in sources
        for found in await fetch(source, directory=cli.directory, stdin=cli.read_stdin)
    ]
    installed = project.install_provisioners(contents, now=cli.clock.time())
    for path in installed:
        cli.output.info(f"installed provisioners in {path}")
    document = Initialised(
        created=done.created,
        app_prefix=state.app_prefix,
        sample=done.sample,
        provisioners=tuple(map(str, installed)),
    )
    cli.output.result(document, "")
