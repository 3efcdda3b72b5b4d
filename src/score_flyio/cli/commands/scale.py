"""`score-flyio scale`: count and size of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncclick as click

from score_flyio.cli.app_options import ONE, WHERE, session
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.cli.deploy_options import GUEST, WAITING, deploy_options, options
from score_flyio.cli.options import events_option, json_option, yes_option
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from score_flyio.operations.scale import GroupSize, ScaleRequest


@click.command("scale", cls=Command)
@click.argument("arguments", nargs=-1, metavar="[WORKLOAD] [[GROUP=]N]...")
@options(ONE, WHERE, GUEST, WAITING)
@click.option(
    "-r",
    "--region",
    "regions",
    multiple=True,
    metavar="REGION",
    help="Where machines are counted, made and removed; otherwise where the group has some.",
)
@click.option(
    "-g",
    "--group",
    "--process-group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Groups whose size changes; otherwise all, or those that are counted.",
)
@yes_option
@events_option
@json_option
async def command(
    cli: CliContext,
    *,
    arguments: tuple[str, ...],
    configs: tuple[str, ...],
    app: str | None,
    **settings: Any,
) -> int:
    """Change how many machines groups have, and how large they are.

    Without a count and a size, show both.
    """
    from score_flyio.cli.deploy_run import tell
    from score_flyio.cli.one_app import split
    from score_flyio.cli.project import open_project
    from score_flyio.deploy.observe import Wanted, observe_app
    from score_flyio.operations.apps import existing
    from score_flyio.operations.carry_out import carry_out
    from score_flyio.operations.records import open_records
    from score_flyio.operations.scale import plan_scale, sizes

    apps, counts = await split(cli, arguments, configs, app)
    ref = apps.single()
    yes = settings.pop("yes")
    place = {name: settings.pop(name) for name in ("target", "emulate", "org", "events_file")}
    request = _request(counts, **settings)
    async with session(cli, **place) as visit:
        if not request.counts and request.guest is None:
            observed = await observe_app(visit.client, ref.app, Wanted())
            return _show(cli, sizes(existing(observed, ref)))
        async with open_records(visit, open_project(cli), apps.state, "scale") as records:
            observed = await observe_app(visit.client, ref.app, Wanted(volumes=True))
            existing(observed, ref)
            scaling = plan_scale(visit, ref, observed, request, records.of(ref.app))
            if scaling.destroys:
                cli.output.stderr.write(f"{scaling.describe()}\n")
                if not cli.confirm(f"Destroy {len(scaling.destroys)} machine(s)?", yes=yes):
                    raise UsageError("nothing was changed", code="not_agreed")
            report, results = await carry_out(visit, [scaling.work], recorder=records.recorder)
            if request.guest is not None:
                await records.released(results.get(ref.app))
    tell(cli, report)
    return report.exit_code


def _request(
    counts: Sequence[str], *, regions: tuple[str, ...], groups: tuple[str, ...], **settings: Any
) -> ScaleRequest:
    from score_flyio.operations.scale import ScaleRequest

    how = deploy_options(**settings)
    listed = tuple(part for text in regions for part in text.replace(",", " ").split())
    return ScaleRequest(
        counts=dict(map(_count, counts)),
        groups=groups,
        regions=listed,
        guest=how.guest,
        options=how,
    )


def _count(text: str) -> tuple[str | None, int]:
    """`3` or `worker=2`."""
    group, _, number = text.rpartition("=")
    if not number.isascii() or not number.isdigit():
        raise UsageError(
            f"{text!r} is neither a count such as 3 nor one of a group such as worker=2",
            hint="give a workload first, then counts",
        )
    return group or None, int(number)


def _show(cli: CliContext, found: Sequence[GroupSize]) -> int:
    from score_flyio.cli.output import table

    rows = [[one.group, str(one.count), one.size, " ".join(one.regions)] for one in found]
    text = table(["GROUP", "COUNT", "SIZE", "REGIONS"], rows)
    cli.output.result({"groups": [one.to_json() for one in found]}, text)
    return 0
