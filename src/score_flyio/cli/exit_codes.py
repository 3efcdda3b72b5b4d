"""Exceptions → exit code and message, for people and as JSON."""

import traceback
from collections.abc import Sequence
from pathlib import Path

import asyncclick as click

from score_flyio.base.document import Document, merged
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, frozen
from score_flyio.base.secret import Secret, masked
from score_flyio.cli.output import Output
from score_flyio.cli.signals import INTERRUPTED
from score_flyio.errors import DeployError, Failure, RunInterrupted, ScoreFlyError


@frozen(kw_only=True)
class Failed(Document):
    """A command that has no result."""

    error: Failure
    """Why."""


def report(error: BaseException, output: Output, secrets: Sequence[Secret] = ()) -> int:
    """Print the error (on stdout as one JSON document, too, with `--json`); returns its exit code.

    That document says what was done all the same. The traceback shows with `--debug` only;
    `secrets` never show.
    """
    failure = _without(secrets, describe(error))
    if output.debug:
        output.stderr.write(masked("".join(traceback.format_exception(error)), secrets))
    done = error.report if isinstance(error, ScoreFlyError) else None
    if output.json:
        output.document(merged([*([done] if done else []), Failed(error=failure)]))
    elif done and isinstance(error, RunInterrupted):
        output.wrapped((), done.summary())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        output.stderr.write(f"{error.ctx.get_usage()}\n")
    output.failure(failure, to_text(failure))
    return failure.exit_code


def _without(secrets: Sequence[Secret], failure: Failure) -> Failure:
    """The failure with secrets masked: libraries' texts may repeat what they were given."""
    return evolve(
        failure,
        message=masked(failure.message, secrets),
        hint=failure.hint and masked(failure.hint, secrets),
        problems=tuple(problem.without(secrets) for problem in failure.problems),
        logs=tuple(masked(line, secrets) for line in failure.logs),
        failures=tuple(_without(secrets, part) for part in failure.failures),
    )


def describe(error: BaseException) -> Failure:
    """What to say about an exception; groups of one are unwrapped."""
    match error:
        case BaseExceptionGroup():
            from score_flyio.errors.unwrap import leaves

            return _together(tuple(map(describe, leaves(error))))
        case ScoreFlyError():
            parts = error.failures if isinstance(error, DeployError) else ()
            single = (part for part in map(describe, parts) if part.message not in error.message)
            return Failure.of(error, *single)
        case click.ClickException():
            from score_flyio.cli.usage import told

            message, hint = told(error)
            return Failure(exit_code=2, code="cli_usage", message=message, hint=hint)
        case KeyboardInterrupt():
            cause = () if error.__cause__ is None else (describe(error.__cause__),)
            return Failure(
                exit_code=INTERRUPTED, code="interrupted", message="interrupted", failures=cause
            )
        case OSError():
            return _describe_os(error)
    return Failure(
        exit_code=1,
        code="unexpected",
        message=f"unexpected {type(error).__name__}: {error}",
        hint="this is a defect of score-flyio; run again with --debug for the details",
    )


def _describe_os(error: OSError) -> Failure:
    about = f": {error.filename}" if error.filename is not None else ""
    message, hint = f"{system_reason(error)}{about}", None
    if isinstance(error, FileNotFoundError) and not about:
        try:
            Path.cwd()
        except FileNotFoundError:
            message = "the working folder is gone: somebody removed it"
            hint = "change to a folder that exists"
    return Failure(exit_code=1, code="os_error", message=message, hint=hint)


def to_text(failure: Failure) -> str:
    """The failure as lines: the message, each problem, each single failure, the hint."""
    message = failure.message
    lines = [message]
    if "\n" in message and failure.problems:
        count = len(failure.problems)
        lines = [f"{count} problems" if count > 1 else "1 problem"]
    told = f"{lines[0]} ({failure.hint})"
    apart = [p for p in map(str, failure.problems) if p not in told]
    lines += [f"  {p}".replace("\n", "\\n") for p in apart]
    if failure.logs:
        lines += ["its last lines:", *(f"  | {line}" for line in failure.logs)]
    for part in failure.failures:
        lines += [f"  {line}" for line in to_text(part).splitlines()]
    if failure.hint:
        lines.append(f"Hint: {failure.hint}")
    return "\n".join(lines)


def _together(failures: tuple[Failure, ...]) -> Failure:
    if len(failures) == 1:
        return failures[0]
    codes = {failure.exit_code for failure in failures}
    return Failure(
        exit_code=codes.pop() if len(codes) == 1 else 1,
        code="failed",
        message=f"{len(failures)} things failed",
        failures=failures,
    )
