"""Flags as users of flyctl and of the Go score-flyio write them: `--ha=false`, `-f=FILE`, `5m`.

Functions that read one value are types of options for click: they raise ValueError for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

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


def whole_number(least: int = 0, most: int | None = None) -> Callable[[str | int], int]:
    """A whole number, from `least` on and up to `most` where there is one."""

    def number(value: str | int) -> int:
        found = value if isinstance(value, int) else whole(value)
        if found is None or found < least or (most is not None and found > most):
            end = "up" if most is None else f"to {most}"
            raise ValueError(f"{value!r} is not a whole number from {least} {end}")
        return found

    return number


def nonempty(text: str) -> str:
    """A text that names something: an empty one is a variable that nobody set."""
    if not text.strip(" ,"):
        raise ValueError(f"{text!r} names nothing: is a variable empty?")
    return text


def seconds(text: str) -> float:
    """A time in Go's notation, such as `5m` or `1m30s`, or a number of seconds."""
    from score_flyio.flytoml.values import Duration

    try:
        found = float(text) if _is_number(text) else Duration.parse(text).seconds
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ValueError(f"{text!r} is not a time: use 5m, 1m30s or a number of seconds")
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def max_unavailable(text: str) -> float:
    """A number of machines, or a share of them below 1."""
    number = float(text) if _is_number(text) else -1.0
    if 0 < number < 1 or (1 <= number < float("inf") and number == int(number)):
        return number
    raise ValueError(f"{text!r} is neither a count of machines such as 2 nor a share such as 0.33")


def image_name(text: str) -> str:
    """The name of an image, as it was given; an empty text names none."""
    from score_flyio.errors import InputError
    from score_flyio.images.reference import ImageReference

    try:
        if text:
            ImageReference.parse(text.rpartition("=")[2])
    except InputError as error:
        raise ValueError(f"{error.message} ({error.hint})") from error
    return text


def variable(text: str) -> tuple[str, str]:
    """`NAME=VALUE`, as a pair; `Name` alone is refused."""
    name, separator, content = text.partition("=")
    if not separator or not name:
        raise ValueError("it must have the form NAME=VALUE")
    return name, content


def retries(text: str) -> str:
    """A number of attempts, or `auto`."""
    if text != "auto" and not text.isdecimal():
        raise ValueError(f"{text!r} is neither a number nor auto")
    return text
