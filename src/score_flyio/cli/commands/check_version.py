"""`score-flyio check-version`: whether a script may rely on this version."""

import operator
import re
from collections.abc import Callable
from typing import Any, Final

import asyncclick as click

from score_flyio._version import __version__
from score_flyio.cli.command import Command
from score_flyio.cli.context import CliContext
from score_flyio.errors import UsageError

_CONSTRAINT: Final = re.compile(r"(=|>=|>)?v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,2})")
_RULES: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}


@click.command("check-version", cls=Command)
@click.argument("constraint")
def command(cli: CliContext, constraint: str) -> int:
    """End with 0 where the version meets CONSTRAINT, and with 1 where not.

    CONSTRAINT: =v1.2.3, >v1.2 or >=1.2.3; parts that are left out are 0.
    """
    found = _CONSTRAINT.fullmatch(constraint.strip())
    if found is None:
        raise UsageError(
            f"CONSTRAINT {constraint!r} is not of the form =1.2.3, >1.2.3 or >=1.2.3",
            hint="the v before the number and its last parts may be left out",
        )
    rule, wanted = found[1] or "=", _parts(found[2])
    if _RULES[rule](_parts(__version__), wanted):
        return 0
    cli.output.error(f"score-flyio is {__version__}, which is not {constraint.strip()}")
    return 1


def _parts(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    return tuple([*numbers, 0, 0][:3])
