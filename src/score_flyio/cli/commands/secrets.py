"""`score-flyio secrets`: the secrets of an app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.cli.apps import NamedApp, named_app, names_one_app, session
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import WAITING, deploy_options, release_record_option
from score_flyio.cli.options import CHANGE, flag_option, json_option, options
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.base.secret import Secret

command = Group("secrets", help="List, set, unset or import secrets.")

stage_option = flag_option(
    "--stage", help="Only store them: machines see them when they next start."
)
HOW: Final = (*WAITING, release_record_option, *CHANGE)


@frozen(kw_only=True)
class SecretsChanged(Document):
    """Which secrets a command was about."""

    secrets: tuple[str, ...]
    """Their names."""
    staged: bool
    """Whether they were only stored."""


@frozen(kw_only=True)
class SecretsStored(SecretsChanged):
    """Secrets that were only stored."""

    app: str


@command.command("list")
@names_one_app()
@json_option
async def list_(cli: CliContext, **settings: Any) -> None:
    """List names and digests of secrets; values cannot be read."""
    from score_flyio.cli.render.wording import ago_of
    from score_flyio.engine.operations.secrets import list_secrets

    named = await named_app(cli, settings)
    async with session(cli) as visit:
        found = await list_secrets(visit, named.ref)
    now = cli.clock.time()
    rows = [[one.name, one.digest, ago_of(one.updated_at, now)] for one in found]
    cli.output.rows(found, ["NAME", "DIGEST", "UPDATED"], rows)


@command.command("set")
@names_one_app("NAME=VALUE...")
@options(HOW)
@stage_option
async def set_(cli: CliContext, **settings: Any) -> int:
    """Set secrets, and restart the machines so that they see them.

    Arguments are visible to other users of this computer: `secrets import` reads them from stdin.
    """
    from score_flyio.engine.operations.secrets import parse_pairs

    named = await named_app(cli, settings, more=True)
    if not named.rest:
        raise UsageError("there is no secret to set", hint="give NAME=VALUE")
    return await _change(named, _by_name(cli, parse_pairs(named.rest)), **settings)


@command.command("unset")
@names_one_app("NAME...")
@options(HOW)
@stage_option
async def unset(cli: CliContext, **settings: Any) -> int:
    """Delete secrets, and restart the machines; one that is not there is no error."""
    named = await named_app(cli, settings, more=True)
    if not named.rest:
        raise UsageError("there is no secret to unset", hint="give names")
    if valued := [name.partition("=")[0] for name in named.rest if "=" in name]:
        raise UsageError(f"{valued[0]!r} has a value behind it", hint="give names alone")
    return await _change(named, dict.fromkeys(named.rest), **settings)


@command.command("import")
@names_one_app()
@options(HOW)
@stage_option
async def import_(cli: CliContext, **settings: Any) -> int:
    """Set the secrets of NAME=VALUE lines on stdin, as `fly secrets import` reads them.

    A value over several lines stands between two \"\"\".
    """
    from score_flyio.engine.secrets_file import parse

    named = await named_app(cli, settings)
    values = _by_name(cli, parse(cli.read_stdin()))
    if not values:
        raise UsageError("there is no secret on stdin", hint="write NAME=VALUE lines to it")
    return await _change(named, values, **settings)


@command.command("deploy")
@names_one_app()
@options(HOW)
async def deploy(cli: CliContext, **settings: Any) -> int:
    """Restart the machines that have not seen all secrets yet."""
    named = await named_app(cli, settings)
    return await _change(named, {}, stage=False, **settings)


def _by_name(cli: CliContext, pairs: Sequence[tuple[str, Secret]]) -> dict[str, Secret]:
    """The last value of each name, as flyctl has it, with a warning where there were others."""
    values = dict(pairs)
    for name in dict.fromkeys(name for name, value in pairs if value != values[name]):
        cli.output.warn(f"{name} is given several values: the last one counts")
    return values


async def _change(
    named: NamedApp,
    values: Mapping[str, Secret | None],
    *,
    stage: bool,
    dry_run: bool,
    **settings: Any,
) -> int:
    from score_flyio.cli.deploy_run import tell_change
    from score_flyio.engine.operations.secrets import change_secrets

    cli, ref = named.cli, named.ref
    names = tuple(sorted(values))
    async with session(cli, silent=True) as visit:
        change = await change_secrets(
            visit, ref, values, stage=stage, options=deploy_options(**settings), dry_run=dry_run
        )
    if stage and not dry_run:
        sets = any(value is not None for value in values.values())
        done = "stored" if sets else "removed"
        text = f"{ref}: {done} {', '.join(names)}; no machine was restarted"
        cli.output.result(SecretsStored(app=ref.app, secrets=names, staged=True), text)
        return 0
    return tell_change(cli, change, SecretsChanged(secrets=names, staged=stage))
