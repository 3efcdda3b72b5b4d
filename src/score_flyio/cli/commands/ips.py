"""`score-flyio ips`: the addresses of an app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from score_flyio.base.document import Document, merged
from score_flyio.base.record import frozen
from score_flyio.cli.apps import NamedApp, named_app, names_one_app, session
from score_flyio.cli.command import Group
from score_flyio.cli.context import CliContext
from score_flyio.cli.options import CHANGE, json_option, options, region_option, yes_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.operations.change import Change

command = Group("ips", help="List, allocate or release addresses.")


@frozen(kw_only=True)
class AddressChanged(Document):
    """Which address a command was about."""

    address: str | None
    """Null where it was not allocated."""


@command.command("list")
@names_one_app()
@json_option
async def list_(cli: CliContext, **settings: Any) -> None:
    """List the addresses of an app."""
    from score_flyio.cli.render.wording import ago_of
    from score_flyio.engine.operations.addresses import list_addresses

    named = await named_app(cli, settings)
    async with session(cli) as visit:
        found = await list_addresses(visit, named.ref)
    now = cli.clock.time()
    rows = [[one.ip, one.type, one.region or "-", ago_of(one.created_at, now)] for one in found]
    cli.output.rows(found, ["ADDRESS", "TYPE", "REGION", "CREATED"], rows)


@command.command("allocate")
@names_one_app("v4|v6|shared_v4|private_v6")
@region_option(help="Where the address leads to.")
@yes_option
@options(CHANGE)
async def allocate(cli: CliContext, *, region: str | None, dry_run: bool, **settings: Any) -> int:
    """Give an app one more address; a v4 costs 2 USD per month, so it needs --yes or an answer."""
    from score_flyio.engine.operations.addresses import COST, KINDS, allocate_address

    named = await named_app(cli, settings, more=True)
    kind = next((kind for kind in KINDS if (kind,) == named.rest), None)
    if kind is None:
        named.no_workload()
        given = " ".join(map(repr, named.rest))
        raise UsageError(
            f"{given}: give the type of the address" if given else "give the type of the address",
            hint=f"one of {', '.join(KINDS)}; see --help",
        )

    async def agree(_change: Change) -> None:
        if cost := COST.get(kind):
            question = f"Allocate a {kind} address for {cost}?"
            await cli.agree(question, "nothing was allocated")

    async with session(cli, silent=True) as visit:
        change = await allocate_address(
            visit, named.ref, kind, region, before=agree, dry_run=dry_run
        )
    return _tell(named, change, done="allocated")


@command.command("release")
@names_one_app("ADDRESS")
@yes_option
@options(CHANGE)
async def release(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Give an address back; the app is not reached by it any more."""
    from score_flyio.engine.operations.addresses import release_address

    named = await named_app(cli, settings, more=True)
    if len(named.rest) != 1:
        raise UsageError("give one address", hint="such as one that ips list shows")
    (address,) = named.rest

    async def agree(_change: Change) -> None:
        question = f"Release {address} of {named.ref}?"
        await cli.agree(question, "nothing was released", if_present=True)

    async with session(cli, silent=True) as visit:
        change = await release_address(visit, named.ref, address, before=agree, dry_run=dry_run)
    return _tell(named, change, done="released")


def _tell(named: NamedApp, change: Change, *, done: str) -> int:
    from score_flyio.cli.deploy_run import show_plan, tell_errors
    from score_flyio.engine.operations.addresses import concerned

    if change.report is None:
        return show_plan(named.cli, [change.plan])
    tell_errors(named.cli, change.report)
    address = concerned(change)
    text = change.report.summary() if address is None else f"{named.ref}: {done} {address}"
    named.cli.output.result(merged((change.report, AddressChanged(address=address))), text)
    return change.report.exit_code
