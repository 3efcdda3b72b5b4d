"""`score-flyio scale`: count and size of machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import asyncclick as click

from score_flyio.base.counted import counted
from score_flyio.cli.apps import named_app, names_one_app, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import (
    GUEST,
    WAITING,
    deploy_options,
    listing_option,
    release_record_option,
)
from score_flyio.cli.go_flags import nonempty, whole
from score_flyio.cli.options import CHANGE, options, yes_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.operations.change import Change
    from score_flyio.engine.operations.scale import ScaleRequest


LARGE_STEP: Final = 10
"""So many new machines are asked about: a digit too many is quickly typed, and costs money."""


@click.command("scale", cls=Command)
@names_one_app("[[GROUP=]N]...")
@options(GUEST, WAITING)
@release_record_option
@listing_option(
    "-r",
    "--region",
    "regions",
    metavar="REGION",
    help="Where machines are counted, made and removed; otherwise where the group has some.",
)
@click.option(
    "-g",
    "--group",
    "--process-group",
    "groups",
    type=nonempty,
    multiple=True,
    metavar="GROUP",
    help="Groups whose size changes; otherwise all, or those that are counted.",
)
@yes_option
@options(CHANGE)
async def command(cli: CliContext, *, dry_run: bool, **settings: Any) -> int:
    """Change how many machines groups have, and how large they are.

    Without a count and a size, show both. With --region, N is the sum over these regions, and
    machines elsewhere stay. A change of size is a release; one of the count is none.
    """
    from score_flyio.cli.deploy_run import tell_change
    from score_flyio.deploy.step import CreateMachine
    from score_flyio.engine.operations.scale import Sizes, scale, sizes

    named = await named_app(cli, settings, more=True)
    if named.rest and not named.rest[0].rpartition("=")[2].isdigit() and "=" not in named.rest[0]:
        named.no_workload()
    request = _request(named.rest, **settings)
    if not request.counts and request.guest is None:
        async with session(cli) as visit:
            found = await sizes(visit, named.ref)
        rows = [[one.group, str(one.count), one.size, _places(one.regions)] for one in found]
        header = ["GROUP", "COUNT", "SIZE", "REGIONS"]
        cli.output.rows(Sizes(groups=tuple(found)), header, rows)
        return 0

    async def agree(change: Change) -> None:
        made = sum(isinstance(step, CreateMachine) for step in change.plan.steps)
        questions = (
            [f"Destroy {counted(len(change.destroys), 'machine')}?"] if change.destroys else []
        )
        questions += [f"Create {made} machines?"] if made >= LARGE_STEP else []
        if questions:
            cli.output.before_question(change.describe())
            await cli.agree(" ".join(questions), "nothing was changed")

    async with session(cli, silent=True) as visit:
        change = await scale(visit, named.ref, request, before=agree, dry_run=dry_run)
    return tell_change(cli, change)


def _request(
    counts: Sequence[str], *, regions: tuple[str, ...], groups: tuple[str, ...], **settings: Any
) -> ScaleRequest:
    from score_flyio.engine.operations.scale import ScaleRequest

    how = deploy_options(**settings)
    wanted = [_count(text) for text in counts]
    for group, times in Counter(group for group, _ in wanted).items():
        if times > 1:
            raise UsageError(
                f"{' and '.join(counts)}: there are several counts for "
                f"{f'group {group}' if group else 'the app'}",
                hint="give one for each group",
            )
    return ScaleRequest(
        counts=dict(wanted), groups=groups, regions=regions, guest=how.guest, options=how
    )


def _count(text: str) -> tuple[str | None, int]:
    """`3` or `worker=2`."""
    group, named, digits = text.rpartition("=")
    number = whole(digits)
    if number is None or (named and not group):
        raise UsageError(
            f"{text!r} is neither a count such as 3 nor one of a group such as worker=2",
            hint="give a workload first, then counts",
        )
    return group or None, number


def _places(regions: Sequence[str]) -> str:
    """Each region once, with the number of machines there, as flyctl shows them."""
    found = Counter(regions).items()
    return ", ".join(region if count == 1 else f"{region}({count})" for region, count in found)
