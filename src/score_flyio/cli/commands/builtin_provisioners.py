"""`score-flyio builtin-provisioners`: provisioners that speak the protocol on stdin and stdout.

They are meant for `provisioners add … --cmd-binary=score-flyio`, here or in the Go score-flyio.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from score_flyio.cli.command import Command, Group
from score_flyio.cli.context import CliContext

if TYPE_CHECKING:
    from score_flyio.fly.client import FlyClient
    from score_flyio.resources.postgres.access import FlyAccess

KINDS = {
    "postgres": "A database with a role of its own, on a server that the project shares.",
    "postgres-instance": "A Postgres server of its own.",
}
MODES = {
    "provision": "Make it: request on stdin, answer on stdout.",
    "deprovision": "Take it away: request on stdin.",
}

command = Group(
    "builtin-provisioners", help="Provisioners that speak the protocol on stdin and stdout."
)


def _callback(kind: str, mode: str) -> Callable[[CliContext], Awaitable[None]]:
    async def run(cli: CliContext) -> None:
        await _answer(cli, kind, mode)

    return run


for _kind, _help in KINDS.items():
    _group = Group(_kind, help=_help)
    for _mode, _about in MODES.items():
        _group.add_command(Command(_mode, callback=_callback(_kind, _mode), help=_about))
    command.add_command(_group)


async def _answer(cli: CliContext, kind: str, mode: str) -> None:
    """Read a request, do it, print the answer; also what a failed run left to be kept."""
    from score_flyio.resources.model import ProvisionIncomplete
    from score_flyio.resources.postgres import protocol

    request = protocol.decode_request(cli.stdin.read().encode(errors="replace"))
    provisioner = protocol.KINDS[kind](_access(cli))
    try:
        result = await getattr(provisioner, mode)(request)
    except ProvisionIncomplete as error:
        cli.output.write(protocol.encode_answer(error.result))
        raise
    cli.output.write(protocol.encode_answer(result))


def _access(cli: CliContext) -> FlyAccess:
    from score_flyio.resources.postgres.access import FlyAccess, region_of

    def connect() -> AbstractAsyncContextManager[FlyClient]:
        from score_flyio.target import Target

        target = Target.from_environment(cli.environ, directory=cli.directory)
        rng = random.Random()  # noqa: S311  # spreads retries, guards nothing
        return target.connect(emit=_ignore, rng=rng)

    return FlyAccess(
        connect=connect,
        region=region_of(cli.environ),
        org=cli.environ.get("FLY_ORG") or None,
        note=cli.output.info,
    )


def _ignore(_event: Any) -> None:
    """What is made is told in the notes."""
