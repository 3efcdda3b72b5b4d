"""Commands about one app: `COMMAND WORKLOAD ARG…`, or `COMMAND ARG… --app NAME`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from score_flyio.cli.app_options import chosen
from score_flyio.cli.context import CliContext

if TYPE_CHECKING:
    from score_flyio.operations.apps import Chosen


async def split(
    cli: CliContext, arguments: Sequence[str], configs: Sequence[str], app: str | None
) -> tuple[Chosen, tuple[str, ...]]:
    """The app and the arguments that are left.

    The first argument is the workload, unless --app or --config names the app, or the project has
    only one workload and the argument is not its name.

    Raises:
        UsageError: it is not clear which workload is meant.
    """
    if app or configs:
        return await chosen(cli, (), configs, app), tuple(arguments)
    every = await chosen(cli, (), (), None)
    known = every.state.workloads if every.state else {}
    if arguments and arguments[0] in known:
        return await chosen(cli, arguments[:1], (), None), tuple(arguments[1:])
    if len(known) == 1:
        return every, tuple(arguments)
    named = [name for name in arguments[:1] if "=" not in name and not name.isdigit()]
    chosen_one = await chosen(cli, named, (), None)
    chosen_one.single()
    return chosen_one, tuple(arguments)
