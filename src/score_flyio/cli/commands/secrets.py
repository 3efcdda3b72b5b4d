"""`score-flyio secrets`: the secrets of an app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.app_options import ONE, WHERE, session
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import WAITING, deploy_options, options
from score_flyio.cli.options import json_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from score_flyio.operations.apps import Chosen
    from score_flyio.secret import Secret

command = Group("secrets", help="List, set, unset or import secrets.")

stage_option = click.option(
    "--stage", is_flag=True, help="Only store them: machines see them when they next start."
)


@command.command("list")
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD]")
@options(ONE, WHERE)
@json_option
async def list_(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **place: Any,
) -> None:
    """List names and digests of secrets; values cannot be read."""
    from score_flyio.cli.one_app import split
    from score_flyio.cli.output import table
    from score_flyio.operations.secrets import list_secrets

    apps, rest = await split(cli, arguments, configs, app)
    _no_more(rest)
    async with session(cli, **place) as visit:
        found = await list_secrets(visit, apps.single())
    rows = [[secret.name, secret.digest, secret.updated_at or "-"] for secret in found]
    text = table(["NAME", "DIGEST", "UPDATED"], rows)
    cli.output.result([secret.to_json() for secret in found], text)


@command.command("set")
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD] NAME=VALUE...")
@options(ONE, WHERE, WAITING)
@stage_option
@json_option
async def set_(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **settings: Any,
) -> int:
    """Set secrets, and restart the machines so that they see them.

    Arguments are visible to other users of this computer: `secrets import` reads them from stdin.
    """
    from score_flyio.cli.one_app import split
    from score_flyio.operations.secrets import parse_pairs

    apps, pairs = await split(cli, arguments, configs, app)
    if not pairs:
        raise UsageError("there is no secret to set", hint="give NAME=VALUE")
    return await _change(cli, apps, parse_pairs(pairs), **settings)


@command.command("unset")
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD] NAME...")
@options(ONE, WHERE, WAITING)
@stage_option
@json_option
async def unset(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **settings: Any,
) -> int:
    """Delete secrets, and restart the machines; one that is not there is no error."""
    from score_flyio.cli.one_app import split

    apps, names = await split(cli, arguments, configs, app)
    if not names:
        raise UsageError("there is no secret to unset", hint="give names")
    return await _change(cli, apps, dict.fromkeys(names), **settings)


@command.command("import")
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD]")
@options(ONE, WHERE, WAITING)
@stage_option
@json_option
async def import_(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **settings: Any,
) -> int:
    """Set the secrets of NAME=VALUE lines on stdin, as `fly secrets import` reads them.

    A value over several lines stands between two \"\"\".
    """
    from score_flyio.cli.one_app import split
    from score_flyio.secrets_lines import parse_lines

    apps, rest = await split(cli, arguments, configs, app)
    _no_more(rest)
    values = parse_lines(cli.stdin.read())
    if not values:
        raise UsageError("there is no secret on stdin", hint="write NAME=VALUE lines to it")
    return await _change(cli, apps, values, **settings)


@command.command("deploy")
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD]")
@options(ONE, WHERE, WAITING)
@json_option
async def deploy(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **settings: Any,
) -> int:
    """Restart the machines that have not seen all secrets yet."""
    from score_flyio.cli.one_app import split

    apps, rest = await split(cli, arguments, configs, app)
    _no_more(rest)
    return await _change(cli, apps, {}, stage=False, **settings)


async def _change(
    cli: CliContext,
    apps: Chosen,
    values: Mapping[str, Secret | None],
    *,
    stage: bool,
    **settings: Any,
) -> int:
    from score_flyio.cli.deploy_run import tell
    from score_flyio.cli.project import open_project
    from score_flyio.operations.carry_out import Work, carry_out
    from score_flyio.operations.records import open_records
    from score_flyio.operations.secrets import plan_handing_out, store_secrets

    ref = apps.single()
    place = {name: settings.pop(name) for name in ("target", "emulate", "org")}
    how = deploy_options(**settings)
    names = {"secrets": sorted(values), "staged": stage}
    async with (
        session(cli, **place) as visit,
        open_records(visit, open_project(cli), apps.state, "secrets") as records,
    ):
        stored = await store_secrets(visit, ref, values) if values else None
        if stage:
            text = f"{ref}: stored {', '.join(sorted(values))}; no machine was restarted"
            cli.output.result({"app": ref.app, **names}, text)
            return 0
        plan = await plan_handing_out(visit, ref, records.of(ref.app), stored=stored, options=how)
        work = Work(plan=plan, options=how)
        report, _ = await carry_out(visit, [work], recorder=records.recorder)
    tell(cli, report, extra=names)
    return report.exit_code


def _no_more(rest: tuple[str, ...]) -> None:
    if rest:
        raise UsageError(f"unexpected argument {rest[0]!r}", hint="name one workload; see --help")
