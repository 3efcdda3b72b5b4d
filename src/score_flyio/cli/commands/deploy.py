"""`score-flyio deploy`: everything from Score files or fly.toml files to healthy machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli import plan_file
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import INPUTS, PLACE, SETTINGS, deploy_options, selection
from score_flyio.cli.go_flags import Name, WholeNumber
from score_flyio.cli.options import (
    OUTPUT,
    dry_run_option,
    events_option,
    flag_option,
    json_option,
    options,
    section,
    summary_option,
)
from score_flyio.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from score_flyio.cli.deploy_run import DeployRun
    from score_flyio.engine.output import Output

RUN = (
    *section(
        "Images",
        flag_option("--build-only", help="Build images, and deploy nothing."),
        flag_option("--push", help="With --build-only: push the images, too."),
        flag_option("--local-only", help="Build here, never at Fly."),
        flag_option("--remote-only", help="Build at Fly, as with --builder fly."),
    ),
    *section(
        "How machines are changed",
        click.option("--jobs", type=WholeNumber(1), metavar="N", help="Provisioners at once."),
    ),
    *section(
        OUTPUT,
        click.option(
            "--report", type=Name(), metavar="FILE.html", help="Write a report to look at."
        ),
    ),
    events_option,
    summary_option,
)
"""How the run is carried out and told of; hidden ones mean nothing here but do at flyctl."""


@click.command("deploy", cls=Command)
@options(INPUTS, PLACE, SETTINGS)
@dry_run_option
@options(RUN)
@json_option
async def command(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Provision, create and update everything, and wait until it is healthy.

    FILE: Score files, or one FILE.plan of plan --out: what was planned is done, unless Fly or a
    file changed since. Without FILE and --config, all workloads of the project.
    """
    defaults = {param.name or "": param.default for param in command.params}
    kept, settings = plan_file.read(cli, settings, defaults)
    chosen = selection(settings, cli.environ)
    try:
        run = deploy_run(cli, **settings)
    except ConfigError as error:
        from score_flyio.cli.deploy_run import with_inputs

        raise await with_inputs(cli, chosen, error) from error
    if dry_run:
        _, code = await run.plan(chosen, kept)
        return code
    return await run.deploy(chosen, kept)


def deploy_run(cli: CliContext, *, output: Output | None = None, **settings: Any) -> DeployRun:
    """The run that all the options of PLACE, SETTINGS and RUN describe.

    Raises ConfigError when there is no token.
    """
    from score_flyio.cli.apps import target_of
    from score_flyio.cli.deploy_run import DeployRun

    pushed = settings.pop("push") or not settings["build_only"]
    settings["builder"] = _builder(settings)
    place = {name: settings.pop(name) for name in ("target", "emulate", "org")}
    own = {
        name: settings.pop(name)
        for name in ("build_only", "jobs", "report", "events_file", "summary")
    }
    return DeployRun(
        cli=cli,
        target=target_of(cli, **place),
        options=deploy_options(**settings, push=pushed),
        output=output,
        **own,
    )


def _builder(settings: dict[str, Any]) -> str:
    """What `--builder` means with `--local-only` and `--remote-only`, which are taken out.

    Raises UsageError for builders that do not fit these.
    """
    builder: str = settings["builder"]
    local, remote = settings.pop("local_only"), settings.pop("remote_only")
    if local and (remote or builder == "fly"):
        raise UsageError(
            "--local-only: Fly is not to build", hint="leave out --remote-only and --builder fly"
        )
    if remote and builder not in {"auto", "fly"}:
        raise UsageError(
            f"--remote-only: {builder} does not build at Fly", hint="leave one of the options out"
        )
    return "fly" if remote else "local" if local and builder == "auto" else builder


async def flyctl_flags(arguments: Sequence[str]) -> dict[str, Any]:
    """Flags spelled as flyctl's, without those that say what is deployed: for `--deploy-args`.

    Raises UsageError: an unknown flag, or one with a wrong value.
    """
    from score_flyio.cli.usage import told

    @click.command("deploy", cls=Command)
    @options(PLACE, SETTINGS, RUN)
    async def flags(_cli: CliContext, **_settings: Any) -> None:
        """Only its options count."""

    try:
        context = await flags.make_context("score-flyio deploy", list(arguments), obj={})
    except click.UsageError as error:
        message, hint = told(error)
        raise UsageError(f"--deploy-args: {message}", hint=hint) from error
    if context.obj.get("access_token"):
        raise UsageError(
            "--deploy-args: --access-token is an option of generate itself",
            hint="give it outside of --deploy-args",
        )
    return dict(context.params)
