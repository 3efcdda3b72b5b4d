"""Flags as flyctl's users write them: `--ha=false`, `--wait-timeout 5m`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncclick as click

from score_flyio.cli.command import Command

# The spellings of Go's strconv.ParseBool.
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


class FlyctlCommand(Command):
    """A command whose switches also take a value, as those of flyctl do."""

    async def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return await super().parse_args(ctx, without_values(args, self.params, ctx))


def without_values(
    args: Sequence[str], params: Sequence[click.Parameter], ctx: click.Context | None = None
) -> list[str]:
    """The arguments with `--switch=false` and the like in click's form.

    Raises:
        click.UsageError: a switch was given something that is neither true nor false.
    """
    switches = {
        name: option
        for option in params
        if isinstance(option, click.Option) and option.is_flag
        for name in option.opts
        if name.startswith("--")
    }
    done: list[str] = []
    for index, argument in enumerate(args):
        if argument == "--":
            return [*done, *args[index:]]
        name, separator, value = argument.partition("=")
        if not separator or name not in switches:
            done.append(argument)
        elif value in _TRUE:
            done.append(name)
        elif value in _FALSE:
            done += switches[name].secondary_opts[:1]
        else:
            raise click.UsageError(f"{name}={value}: {value!r} is neither true nor false", ctx)
    return done


class Seconds(click.ParamType[Any]):
    """A time in Go's notation, such as `5m` or `1m30s`, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from score_flyio.app.values import Duration

        if isinstance(value, float):
            return value
        try:
            seconds = float(value) if _is_number(value) else Duration.parse(value).seconds
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            self.fail(f"{value!r} is no time: use 5m, 1m30s or a number of seconds", param, ctx)
        return seconds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class MaxUnavailable(click.ParamType[Any]):
    """A number of machines, or a share of them below 1."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = float(value) if isinstance(value, float) or _is_number(value) else -1.0
        if 0 < number < 1 or (1 <= number < float("inf") and number == int(number)):
            return number
        return self.fail(
            f"{value!r} is neither a count of machines such as 2 nor a share such as 0.33",
            param,
            ctx,
        )


class Variable(click.ParamType[Any]):
    """`NAME=VALUE`, as a pair; `Name` alone is refused."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        name, separator, content = value.partition("=")
        if not separator or not name:
            self.fail("it must have the form NAME=VALUE", param, ctx)
        return name, content
