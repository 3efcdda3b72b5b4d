"""What is wrong with a command line, in our words in place of click's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncclick as click

from score_flyio.base.misspelt import did_you_mean, nearest

_SURE: Final = 0.75
"""How like a name is that is surely meant."""


@contextmanager
def usage_of(ctx: click.Context) -> Iterator[None]:
    """What is wrong with the arguments that are parsed in the block is told with their command."""
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def told(error: click.ClickException) -> tuple[str, str | None]:
    """The message and the hint for what click refuses."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    see = None if ctx is None else f"see {ctx.command_path} --help"
    match error:
        case click.NoSuchOption():
            near = nearest(error.option_name, error.possibilities or [], likeness=_SURE)
            meant = did_you_mean(near, after=" ")
            return f"there is no option {error.option_name}", see and f"{meant}{see}"
        case click.MissingParameter():
            return f"{_named(error)} is missing", see
        case click.BadParameter():
            name = _named(error)
            message = error.message.removesuffix(".")
            return f"{name}: {message}" if name else message, see
        case click.BadOptionUsage():
            takes = "needs a value" if _takes_value(ctx, error.option_name) else "takes no value"
            return f"{error.option_name} {takes}", see
    return error.format_message(), see


def no_command(ctx: click.Context, name: str, known: list[str]) -> click.UsageError:
    """The error for the name of a command that is none."""
    group = ctx.command_path.partition(" ")[2]
    near = nearest(name, known, likeness=_SURE)
    meant = did_you_mean(near and repr(f"{group} {near}".strip()), before="; ")
    return click.UsageError(f"there is no command {f'{group} {name}'.strip()!r}{meant}", ctx)


def _named(error: click.BadParameter) -> str:
    """What the wrong value was given for."""
    if isinstance(error.param, click.Option):
        return next((name for name in error.param.opts if name[:2] == "--"), error.param.opts[0])
    return "" if error.param is None else error.param.human_readable_name.strip("[].")


def _takes_value(ctx: click.Context | None, name: str) -> bool:
    params = [] if ctx is None else ctx.command.params
    options = [param for param in params if isinstance(param, click.Option)]
    return not any(one.is_flag and name in (*one.opts, *one.secondary_opts) for one in options)
