"""`score-flyio config`: tools for fly.toml files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import asyncclick as click

from score_flyio.base.document import Document, merged
from score_flyio.base.record import evolve, frozen
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import (
    app_option,
    emulate_option,
    flag_option,
    image_option,
    json_option,
    target_option,
    yes_option,
)
from score_flyio.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from score_flyio.deploy.model import ObservedApp
    from score_flyio.deploy.observe import Wanted
    from score_flyio.engine.session import Session
    from score_flyio.errors import Failure, Problem
    from score_flyio.flytoml import FlyTomlDocument

_UNTOLD = (
    "no record of the last release can be read: add what no machine carries, such as [deploy] and "
    "console_command"
)

command = Group("config", help="Tools for fly.toml files.")


@frozen(kw_only=True)
class Saved(Document):
    """What was written."""

    app: str
    files: tuple[str, ...]
    """The fly.toml, and what it refers to."""
    notes: tuple[str, ...]
    """What is not in it."""


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
@flag_option("--strict", help="Refuse unknown names, too.")
@json_option
async def validate(cli: CliContext, config: Path | None, strict: bool) -> int:
    """Say everything that is wrong with a fly.toml."""
    document, failure = _read(cli, config)
    more = document.strict_problems() if strict else ()
    problems = (*document.problems, *more)
    for warning in (*document.warnings, *document.remarks, *document.undeployable):
        cli.output.warn(str(warning))
    cli.output.result(
        evolve(document.verdict(more), error=failure),
        "" if problems else f"{document.file} is valid",
    )
    return _tell(cli, problems)


@command.command("render")
@config_option
@image_option(metavar="IMAGE", help="The image that the machines would run.")
@json_option
async def render(cli: CliContext, config: Path | None, image: str | None) -> int:
    """Print the machine configs that a fly.toml becomes, as JSON.

    Local files that it refers to are resolved against the working directory.
    """
    from score_flyio.deploy.desired.render import render_document
    from score_flyio.deploy.local_files import LocalFiles

    document, failure = _read(cli, config)
    read, shown, more = render_document(document, files=LocalFiles(cli.directory), image=image)
    cli.output.document(merged((evolve(read, error=failure), shown)))
    return _tell(cli, (*document.problems, *more))


@command.command("save")
@config_option
@app_option
@target_option
@yes_option
@emulate_option
@json_option
async def save(cli: CliContext, config: Path | None, app: str | None) -> int:
    """Write the fly.toml of an app as it runs.

    What machines carry is as they have it; the rest, such as [deploy], is that of the last release
    that Fly was told of. What a fly.toml cannot say is told on stderr. Contents of files that are
    not text are written into the folder `files`.
    """
    from score_flyio.base.atomic import READABLE, write_atomically
    from score_flyio.cli.apps import session
    from score_flyio.deploy.local_files import LocalFiles
    from score_flyio.deploy.observe import Wanted
    from score_flyio.deploy.saved import saved_app
    from score_flyio.engine.operations.releases import released_definition
    from score_flyio.flytoml import to_toml

    named = str(config or "fly.toml")
    path = cli.output_path("--config", named)
    name = app or cli.environ.get("FLY_APP") or _app_of(path)
    async with session(cli, silent=True) as visit:
        observed = await _observed(visit, name, Wanted(volumes=True))
        definition = await released_definition(visit.client, name)
    saved = saved_app(
        name,
        observed.machines,
        definition=definition,
        files=LocalFiles(cli.directory),
        volumes=observed.volumes,
    )
    notes = (*saved.notes, *([] if definition else [_UNTOLD]))
    if path.exists() and not await cli.confirm(f"{named} exists. Replace it?"):
        return 1
    for local, content in saved.files.items():
        (cli.directory / local).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cli.directory / local, content, mode=READABLE)
    write_atomically(path, to_toml(saved.spec).encode(), mode=READABLE)
    for note in notes:
        cli.output.warn(note)
    written = (named, *saved.files)
    cli.output.result(Saved(app=name, files=written, notes=notes), f"wrote {', '.join(written)}")
    return 0


@command.command("diff")
@config_option
@app_option
@target_option
@flag_option("--detailed-exitcode", help="End with 2 where something differs.")
@emulate_option
@json_option
async def diff(
    cli: CliContext, config: Path | None, app: str | None, detailed_exitcode: bool
) -> int:
    """Show how the machines of an app differ from a fly.toml, field by field."""
    from score_flyio.cli.apps import session
    from score_flyio.deploy.drift import Differs, drift
    from score_flyio.deploy.local_files import LocalFiles
    from score_flyio.deploy.observe import Wanted
    from score_flyio.flytoml.load import read_document

    path = _find(cli, config)
    spec = read_document(path).accepted()
    name = app or cli.environ.get("FLY_APP") or spec.app or _no_app(str(path))
    async with session(cli, silent=True) as visit:
        observed = await _observed(visit, name, Wanted())
    files = LocalFiles(cli.directory)
    found = drift(spec, observed.machines, files=files, others=observed.others)
    cli.output.result(
        Differs(app=name, drift=tuple(found)),
        "\n".join(map(str, found)) or f"{name} runs as {path} says",
    )
    return 2 if found and detailed_exitcode else 0


async def _observed(visit: Session, app: str, wanted: Wanted) -> ObservedApp:
    from score_flyio.engine.operations.apps import AppRef, observe

    observed = await observe(visit, AppRef(app=app), wanted)
    if not observed.machines:
        raise UsageError(f"app {app} has no machines", hint="deploy it first")
    return observed


def _app_of(path: Path) -> str:
    from score_flyio.flytoml.load import read_document

    return (read_document(path).accepted().app if path.is_file() else "") or _no_app(path.name)


def _no_app(file: str) -> NoReturn:
    raise UsageError(f"{file} names no app", hint="give its name with --app")


def _find(cli: CliContext, config: Path | None) -> Path:
    from score_flyio.flytoml.load import find_fly_toml

    path = find_fly_toml(config, directory=cli.directory)
    return path.relative_to(cli.directory) if config is None else path


def _read(cli: CliContext, config: Path | None) -> tuple[FlyTomlDocument, Failure | None]:
    """The file, and the error that every command has in its JSON if there is none."""
    from score_flyio.cli.exit_codes import describe
    from score_flyio.flytoml.document import refused
    from score_flyio.flytoml.load import read_document

    try:
        return read_document(_find(cli, config)), None
    except ConfigError as error:
        (problem,) = error.problems
        code = problem.code or error.code
        document = refused(problem.file, code, problem.message, problem.hint)
        return document, describe(error)


def _tell(cli: CliContext, problems: Sequence[Problem]) -> int:
    for problem in problems:
        cli.output.error(str(problem))
    return 2 if problems else 0
