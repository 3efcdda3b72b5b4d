"""`score-flyio generate`: Score files to provisioned resources and fly.toml files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.command import EarlyCommand
from score_flyio.cli.go_flags import ImageName
from score_flyio.cli.options import events_option, json_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext
    from score_flyio.engine.generate import GenerateOptions, GenerateResult


@click.command("generate", cls=EarlyCommand)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--overrides-file", metavar="FILE", help="YAML map laid over the Score file.")
@click.option(
    "--override-property",
    "override_properties",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set one value of the Score file, or remove it with an empty VALUE; repeatable.",
)
@click.option(
    "-i", "--image", type=ImageName(), metavar="IMAGE", help="The image that `.` stands for."
)
@click.option(
    "--secrets-file",
    metavar="FILE",
    help="Write the secrets as fly secrets import reads them; - for stdout.",
)
@click.option("--output-dir", metavar="DIR", help="Where the fly.toml files go.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many provisioners run at once. Without it: 10, those never used before one by one.",
)
@click.option("--deploy", is_flag=True, help="Deploy what was generated.")
@click.option(
    "--deploy-args",
    multiple=True,
    metavar="ARGS",
    help="Flags for the deploy, spelled as flyctl's; repeatable.",
)
@events_option
@json_option
async def command(
    cli: CliContext,
    files: tuple[str, ...],
    deploy: bool,
    deploy_args: tuple[str, ...],
    events_file: str | None,
    **settings: Any,
) -> int | None:
    """Provision what workloads need and write their fly.toml files.

    Without FILE, all workloads of the project are generated again.
    """
    from score_flyio.cli.render import follow
    from score_flyio.engine.generate import generate, raise_failures
    from score_flyio.events import EventLog

    options = _options(deploying=deploy, **settings)
    if options.secrets_file == "-" and cli.output.json:
        raise UsageError("--secrets-file - and --json both want stdout", hint="give one of them")
    if deploy_args and not deploy:
        raise UsageError("--deploy-args is for --deploy", hint="add --deploy")
    flags = await _deploy_flags(split_arguments(deploy_args)) if deploy else None
    async with follow(cli, events_file) as listener:
        log = EventLog(cli.clock.time, listener)
        result = await generate(cli.project(), files, options, log.emit)
    if options.secrets_file == "-" and result.secrets_text is not None:
        cli.output.write(result.secrets_text)
    if flags is not None:
        return await _deploy(cli, result, flags)
    raise_failures(result.failures)
    cli.output.result(_document(result), "")
    return None


def _options(
    *,
    overrides_file: str | None,
    override_properties: tuple[str, ...],
    image: str | None,
    **rest: Any,
) -> GenerateOptions:
    from score_flyio.engine.generate import GenerateOptions
    from score_flyio.engine.project import Overrides

    overrides = Overrides(file=overrides_file, properties=override_properties, image=image)
    return GenerateOptions(overrides=overrides, **rest)


def _document(result: GenerateResult) -> dict[str, Any]:
    return {
        "workloads": [
            {
                "workload": item.workload,
                "app": item.app,
                "file": item.file,
                "secrets": sorted(item.conversion.secrets),
            }
            for item in result.generated
        ]
    }


def split_arguments(values: Sequence[str]) -> list[str]:
    """`--deploy-args` as single arguments: each value is one, or several flags in one text."""
    from shlex import split

    arguments: list[str] = []
    for value in values:
        several = value.startswith("-") and re.search(r"\s", value)
        arguments += split(value) if several else [value]
    return arguments


async def _deploy_flags(arguments: list[str]) -> dict[str, Any]:
    """Refuses a wrong flag before anything is done."""
    from score_flyio.cli.commands.deploy import flyctl_flags

    return await flyctl_flags(arguments)


async def _deploy(cli: CliContext, result: GenerateResult, flags: dict[str, Any]) -> int:
    from score_flyio.base.event_loop import event_loop
    from score_flyio.cli.commands.deploy import deploy_run

    await event_loop()
    from score_flyio.cli.deploy_run import generated

    return await deploy_run(cli, write_files=False, **flags).deploy(generated(cli, result))
