"""`score-flyio certs`: certificates of host names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.app_options import ONE, WHERE, session
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import options
from score_flyio.cli.options import json_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.operations.apps import AppRef
    from score_flyio.operations.certificates import Certificate
    from score_flyio.operations.session import Session

command = Group("certs", help="List, add, check or remove certificates.")

host_argument = click.argument("arguments", nargs=-1, metavar="[WORKLOAD] HOSTNAME")


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
    """List the certificates of an app."""
    from score_flyio.cli.one_app import split
    from score_flyio.cli.output import table
    from score_flyio.operations.certificates import list_certificates

    apps, rest = await split(cli, arguments, configs, app)
    if rest:
        raise UsageError(f"unexpected argument {rest[0]!r}", hint="name one workload; see --help")
    async with session(cli, **place) as visit:
        found = await list_certificates(visit, apps.single())
    rows = [[one.hostname, one.status, ", ".join(one.sources) or "-"] for one in found]
    text = table(["HOSTNAME", "STATUS", "SOURCES"], rows)
    cli.output.result([one.to_json() for one in found], text)


@command.command("add")
@host_argument
@options(ONE, WHERE)
@click.option("--fullchain", metavar="FILE.pem", help="A certificate of your own, with its chain.")
@click.option("--private-key", metavar="FILE.pem", help="The key of that certificate.")
@json_option
async def add(
    cli: CliContext, *, fullchain: str | None, private_key: str | None, **settings: Any
) -> None:
    """Ask for a certificate, or give one; says which DNS records it needs."""
    from score_flyio.operations.certificates import add_certificate, add_own_certificate
    from score_flyio.secret import Secret

    if (fullchain is None) != (private_key is None):
        raise UsageError("--fullchain and --private-key go together", hint="give both, or none")

    async def work(visit: Session, ref: AppRef, hostname: str) -> Certificate:
        if fullchain is None or private_key is None:
            return await add_certificate(visit, ref, hostname)
        chain, key = _pem(cli, fullchain), Secret(_pem(cli, private_key))
        return await add_own_certificate(visit, ref, hostname, fullchain=chain, private_key=key)

    await _one(cli, work, **settings)


@command.command("check")
@host_argument
@options(ONE, WHERE)
@json_option
async def check(cli: CliContext, **settings: Any) -> int:
    """Have the DNS records looked at again; ends with 1 while the certificate is not active."""
    from score_flyio.operations.certificates import check_certificate

    found = await _one(cli, check_certificate, **settings)
    return 0 if found.configured else 1


@command.command("remove")
@host_argument
@options(ONE, WHERE)
@json_option
async def remove(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **place: Any,
) -> None:
    """Take the certificates of a host name away."""
    from score_flyio.operations.certificates import remove_certificate

    ref, hostname = await _named(cli, arguments, configs, app)
    async with session(cli, **place) as visit:
        await remove_certificate(visit, ref, hostname)
    document = {"app": ref.app, "hostname": hostname}
    cli.output.result(document, f"{ref}: removed the certificate of {hostname}")


async def _one(
    cli: CliContext,
    work: Callable[[Session, AppRef, str], Awaitable[Certificate]],
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **place: Any,
) -> Certificate:
    ref, hostname = await _named(cli, arguments, configs, app)
    async with session(cli, **place) as visit:
        found = await work(visit, ref, hostname)
    cli.output.result({"app": ref.app, **found.to_json()}, _text(found))
    return found


async def _named(
    cli: CliContext, arguments: tuple[str, ...], configs: tuple[str, ...], app: str | None
) -> tuple[AppRef, str]:
    from score_flyio.cli.one_app import split

    apps, rest = await split(cli, arguments, configs, app)
    if len(rest) != 1:
        raise UsageError(
            "give one host name", hint="such as: score-flyio certs add www.example.com"
        )
    return apps.single(), rest[0]


def _pem(cli: CliContext, file: str) -> str:
    try:
        return Path(cli.directory / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"{file}: cannot be read: {reason}", hint="name a PEM file") from error


def _text(found: Certificate) -> str:
    lines = [f"{found.hostname}: {found.status}"]
    lines += [f"  set {kind} {name} to {value}" for kind, name, value in found.records]
    lines += [f"  problem: {problem}" for problem in found.problems]
    return "\n".join(lines)
