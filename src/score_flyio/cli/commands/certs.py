"""`score-flyio certs`: certificates of host names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.base.document import Document, merged
from score_flyio.base.record import frozen
from score_flyio.cli.apps import NamedApp, named_app, names_one_app, session
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import CHANGE, json_option, options, yes_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.deploy.model import OwnCertificate
    from score_flyio.engine.operations.certificates import Certificate
    from score_flyio.engine.operations.change import Change

command = Group("certs", help="List, add, check or remove certificates.")


@frozen(kw_only=True)
class OfApp(Document):
    """The app that a command was about."""

    app: str


@frozen(kw_only=True)
class CertificateRemoved(OfApp):
    """A certificate that was taken away."""

    hostname: str


@command.command("list")
@names_one_app()
@json_option
async def list_(cli: CliContext, **settings: Any) -> None:
    """List the certificates of an app."""
    from score_flyio.engine.operations.certificates import list_certificates

    named = await named_app(cli, settings)
    async with session(cli) as visit:
        found = await list_certificates(visit, named.ref)
    rows = [[one.hostname, one.status, ", ".join(one.sources) or "-"] for one in found]
    cli.output.rows(found, ["HOSTNAME", "STATUS", "SOURCES"], rows)


@command.command("add")
@names_one_app("HOSTNAME")
@click.option("--fullchain", metavar="FILE.pem", help="A certificate of your own, with its chain.")
@click.option("--private-key", metavar="FILE.pem", help="The key of that certificate.")
@options(CHANGE)
async def add(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Ask for a certificate, or give one; says which DNS records it needs."""
    from score_flyio.cli.deploy_run import tell_change
    from score_flyio.engine.operations.certificates import add_certificate

    own = _own(cli, settings.pop("fullchain"), settings.pop("private_key"))
    named = await named_app(cli, settings, more=True)
    hostname = _hostname(named)
    async with session(cli, silent=True) as visit:
        done = await add_certificate(visit, named.ref, hostname, own, dry_run=dry_run)
    if done.certificate is None:
        return tell_change(cli, done)
    _tell(named, done.certificate)
    return 0


@command.command("check")
@names_one_app("HOSTNAME")
@json_option
async def check(cli: CliContext, **settings: Any) -> int:
    """Have the DNS records looked at again; ends with 1 while the certificate is not active."""
    from score_flyio.engine.operations.certificates import read_certificate

    named = await named_app(cli, settings, more=True)
    hostname = _hostname(named)
    async with session(cli) as visit:
        found = await read_certificate(visit, named.ref, hostname, check=True)
    _tell(named, found)
    return 0 if found.configured else 1


@command.command("remove")
@names_one_app("HOSTNAME")
@yes_option
@options(CHANGE)
async def remove(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Take the certificates of a host name away."""
    from score_flyio.cli.deploy_run import tell_change
    from score_flyio.engine.operations.certificates import remove_certificate

    named = await named_app(cli, settings, more=True)
    hostname = _hostname(named)

    async def agree(_change: Change) -> None:
        question = f"Remove the certificate of {hostname} from {named.ref}?"
        await cli.agree(question, "nothing was removed", if_present=True)

    async with session(cli, silent=True) as visit:
        change = await remove_certificate(visit, named.ref, hostname, before=agree, dry_run=dry_run)
    if change.report is None or change.report.failures:
        return tell_change(cli, change)
    document = CertificateRemoved(app=named.ref.app, hostname=hostname)
    cli.output.result(document, f"{named.ref}: removed the certificate of {hostname}")
    return 0


def _hostname(named: NamedApp) -> str:
    if len(named.rest) != 1:
        raise UsageError(
            "give one host name", hint="such as: score-flyio certs add www.example.com"
        )
    return named.rest[0]


def _own(cli: CliContext, fullchain: str | None, private_key: str | None) -> OwnCertificate | None:
    from score_flyio.base.secret import Secret
    from score_flyio.deploy.model import OwnCertificate

    if (fullchain is None) != (private_key is None):
        raise UsageError("--fullchain and --private-key go together", hint="give both, or none")
    if fullchain is None or private_key is None:
        return None
    chain, key = (cli.read_text(file, "name a PEM file") for file in (fullchain, private_key))
    return OwnCertificate(fullchain=chain, private_key=Secret(key))


def _tell(named: NamedApp, found: Certificate) -> None:
    lines = [f"{found.hostname}: {found.status}"]
    lines += [f"  set {one.type} {one.name} to {one.value}" for one in found.dns_records]
    lines += [f"  problem: {problem}" for problem in found.problems]
    document = merged((OfApp(app=named.ref.app), found))
    named.cli.output.result(document, "\n".join(lines))
