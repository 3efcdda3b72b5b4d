"""Flags as users of flyctl and of the Go score-flyio write them: `--ha=false`, `-f=FILE`, `5m`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import asyncclick as click

# The spellings of Go's strconv.ParseBool.
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_DIGITS: Final = 18
"""Of the largest number that anything counts."""


def as_click_reads(
    args: Sequence[str],
    params: Sequence[click.Parameter],
    ctx: click.Context | None = None,
    *,
    of_group: bool = False,
) -> list[str]:
    """The arguments with `--switch=false`, `-f=VALUE` and the like in click's form.

    Those of a group end where the name of a command begins.

    Raises click.UsageError: a switch was given something that is neither true nor false.
    """
    options = {
        name: option
        for option in params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    done: list[str] = []
    rest = iter(args)
    for argument in rest:
        name, equals, value = argument.partition("=")
        option = options.get(name)
        if argument == "--" or (of_group and not argument.startswith("-")):
            return [*done, argument, *rest]
        if option is None or name in option.secondary_opts:
            done.append(argument)
        elif option.is_flag:
            done += _switch(name, option, value, ctx) if equals else [name]
        elif equals:
            done += [argument] if name.startswith("--") else [name, value]
        else:
            done += [name, *islice(rest, 1)]
    return done


def _switch(name: str, option: click.Option, value: str, ctx: click.Context | None) -> list[str]:
    if value in _TRUE:
        return [name]
    if value in _FALSE:
        return option.secondary_opts[:1]
    raise click.UsageError(f"{name}={value}: {value!r} is neither true nor false", ctx)


def whole(text: str) -> int | None:
    """The number that digits say; None where there is anything else, or too many for any use."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


class WholeNumber(click.ParamType[Any]):
    """A whole number, from `least` on and up to `most` where there is one."""

    name = "number"

    def __init__(self, least: int = 0, most: int | None = None) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = value if isinstance(value, int) else whole(value)
        if number is None or number < self.least or (self.most is not None and number > self.most):
            end = "up" if self.most is None else f"to {self.most}"
            self.fail(f"{value!r} is not a whole number from {self.least} {end}", param, ctx)
        return number


class Name(click.ParamType[Any]):
    """A text that names something: an empty one is a variable that nobody set."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value.strip(" ,"):
            self.fail(f"{value!r} names nothing: is a variable empty?", param, ctx)
        return value


class Seconds(click.ParamType[Any]):
    """A time in Go's notation, such as `5m` or `1m30s`, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from score_flyio.flytoml.values import Duration

        try:
            seconds = float(value) if _is_number(value) else Duration.parse(value).seconds
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            self.fail(f"{value!r} is not a time: use 5m, 1m30s or a number of seconds", param, ctx)
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
        number = float(value) if _is_number(value) else -1.0
        if 0 < number < 1 or (1 <= number < float("inf") and number == int(number)):
            return number
        return self.fail(
            f"{value!r} is neither a count of machines such as 2 nor a share such as 0.33",
            param,
            ctx,
        )


class ImageName(click.ParamType[Any]):
    """The name of an image, as it was given; an empty text names none."""

    name = "image"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from score_flyio.errors import InputError
        from score_flyio.images.reference import ImageReference

        if not value:
            return value
        try:
            ImageReference.parse(value.rpartition("=")[2])
        except InputError as error:
            self.fail(f"{error.message} ({error.hint})", param, ctx)
        return value


class Variable(click.ParamType[Any]):
    """`NAME=VALUE`, as a pair; `Name` alone is refused."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        name, separator, content = value.partition("=")
        if not separator or not name:
            self.fail("it must have the form NAME=VALUE", param, ctx)
        return name, content


class Retries(click.ParamType[Any]):
    """A number of attempts, or `auto`."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value != "auto" and not value.isdecimal():
            self.fail(f"{value!r} is neither a number nor auto", param, ctx)
        return value
