"""Where a command goes, by its options, and what it tells on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from score_flyio.cli.connect import chosen_target
from score_flyio.cli.context import CliContext
from score_flyio.errors import UsageError

if TYPE_CHECKING:
    from score_flyio.engine.target import Target


def target_of(
    cli: CliContext, *, target: str | None, emulate: bool = False, org: str | None = None
) -> Target:
    """`--emulate`, `--target` and `--org`, else what the environment says.

    Raises:
        UsageError: --emulate with another target.
        ConfigError: unknown target, or no token.
    """
    if emulate and target not in {None, "emulator"}:
        raise UsageError(f"--emulate and --target {target} are two places", hint="give one of them")
    chosen = chosen_target(cli, "emulator" if emulate else target)
    if org is not None:
        chosen.org = org
    return chosen
