"""`score-flyio config`: tools for fly.toml files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncclick as click

from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import json_option

if TYPE_CHECKING:
    from score_flyio.app.flytoml import FlyTomlDocument
    from score_flyio.errors import Problem

INVALID = 2

command = Group("config", help="Tools for fly.toml files.")

config_option = click.option(
    "-c",
    "--config",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The fly.toml, or a folder with one; otherwise that of the working directory.",
)


@command.command("validate")
@config_option
@click.option("--strict", is_flag=True, help="Refuse unknown names, too.")
@json_option
async def validate(cli: CliContext, config: Path | None, strict: bool) -> int:
    """Say everything that is wrong with a fly.toml."""
    from score_flyio.cli.config_outcome import verdict

    document = _read(cli, config)
    problems = (*document.problems, *(document.strict_problems() if strict else ()))
    for warning in document.warnings:
        cli.output.warn(str(warning.problem(document.file)))
    cli.output.result(
        verdict(document) | {"valid": not problems},
        "" if problems else f"{document.file} is valid",
    )
    return _tell(cli, problems)


@command.command("render")
@config_option
@click.option("-i", "--image", metavar="IMAGE", help="The image that the machines would run.")
@json_option
async def render(cli: CliContext, config: Path | None, image: str | None) -> int:
    """Print the machine configs that a fly.toml becomes, as JSON.

    Local files that it refers to are resolved against the working directory.
    """
    from score_flyio.cli.config_outcome import outcome
    from score_flyio.deploy.local_files import LocalFiles

    document = _read(cli, config)
    result, errors = outcome(document, files=LocalFiles(cli.directory), image=image)
    cli.output.write(json.dumps(result, indent=2, ensure_ascii=False))
    return _tell(cli, (*document.problems, *(p for error in errors for p in error.problems)))


def _read(cli: CliContext, config: Path | None) -> FlyTomlDocument:
    from score_flyio.app.load import find_fly_toml, read_document

    path = find_fly_toml(config, directory=cli.directory)
    return read_document(path.relative_to(cli.directory) if config is None else path)


def _tell(cli: CliContext, problems: Sequence[Problem]) -> int:
    for problem in problems:
        cli.output.error(str(problem))
    return INVALID if problems else 0
