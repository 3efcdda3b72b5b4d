"""Parsing the command line, running the command, and its exit code.

Nothing is imported here before it is needed: `--help` costs little more than asyncclick.
"""

import os
import sys
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import asyncclick as click

from score_flyio.cli.command import Invocation, LazyGroup

if TYPE_CHECKING:
    from score_flyio.cli.context import CliContext

PROGRAM: Final = "score-flyio"
COMPLETE: Final = "_SCORE_FLYIO_COMPLETE"
"""The environment variable by which the shell's completion function asks for completions."""

root: Final = LazyGroup(PROGRAM, help="Deploy Score workloads to Fly.io, without flyctl.")


def run(args: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run one command line and return its exit code; whatever goes wrong is told on stderr."""
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    try:
        if COMPLETE in environ:
            from asyncclick.shell_completion import shell_complete

            words = environ[COMPLETE]
            return int(_finish(shell_complete(root, {"obj": {}}, PROGRAM, COMPLETE, words)))
        _check_text(args)
        parsed = _finish(_parse(list(args), given))
        if token := given.get("access_token"):
            from score_flyio.fly.auth import Tokens

            Tokens.parse(token, source="--access-token")
            environ = {**environ, "FLY_ACCESS_TOKEN": token}
        return parsed if isinstance(parsed, int) else _execute(parsed, given, environ)
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the outermost edge
        from score_flyio.cli.context import CliContext
        from score_flyio.cli.exit_codes import report
        from score_flyio.net.credentials import own_credentials

        given.setdefault("json", "--json" in args or None)
        return report(error, CliContext.build(given, environ).output, own_credentials(environ))


def _check_text(args: Sequence[str]) -> None:
    """What is not text could neither be kept nor be told of."""
    for number, argument in enumerate(args, start=1):
        if any("\ud800" <= char <= "\udfff" for char in argument):
            raise click.UsageError(f"argument {number}, {argument!a}, is not UTF-8 text")


async def _parse(args: list[str], given: dict[str, Any]) -> Invocation | int:
    """The command to run, or the exit code when the command line was answered already."""
    try:
        async with await root.make_context(PROGRAM, args, obj=given) as context:
            invocation: Invocation = await root.invoke(context)
            return invocation
    except click.exceptions.Exit as done:
        return done.exit_code


def _finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits: starting an event loop takes 40 ms."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("parsing a command line must not wait for anything")


def _execute(invocation: Invocation, given: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    from signal import default_int_handler

    from score_flyio.cli.context import CliContext
    from score_flyio.cli.signals import handled

    cli = CliContext.build(given, environ)
    with handled(default_int_handler):
        return _unless_lost(_done(invocation, cli), cli)


def _done(invocation: Invocation, cli: "CliContext") -> int:
    """The exit code of a command, once it has ended."""
    from score_flyio.base.event_loop import begin

    work = invocation.callback(cli, **invocation.params)
    if invocation.early:
        work = begin(work)
    if not isinstance(work, Awaitable):
        return work or 0
    try:
        from score_flyio.cli.runner import run_command

        return run_command(work, cli)
    finally:
        if isinstance(work, Coroutine):  # interrupted before it began, which Python would tell
            work.close()


def _unless_lost(exit_code: int, cli: "CliContext") -> int:
    """The exit code; a result that could not be written is a failure, unless its reader left."""
    stdout = cli.output.stdout
    if stdout.failure is None or isinstance(stdout.failure, BrokenPipeError):
        return exit_code
    from score_flyio.base.printable import system_reason

    cli.output.error(f"stdout: {system_reason(stdout.failure)}: the result is lost")
    return exit_code if stdout.aside else exit_code or 1
