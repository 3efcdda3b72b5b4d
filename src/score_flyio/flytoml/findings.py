"""What is wrong, or remarkable, with a fly.toml, named as flyctl's rules name it."""

from __future__ import annotations

from typing import Any, Literal

from score_flyio.base.place import path_of
from score_flyio.errors import Problem
from score_flyio.flytoml.gotext import text_of


def finding(
    stage: Literal["parse", "decode", "validate"],
    place: str,
    code: str,
    message: str,
    hint: str | None = None,
    *,
    line: int | None = None,
) -> Problem:
    """A problem of a fly.toml.

    `place` is the path of the key, such as `mounts[1].initial_size`, empty for the whole file;
    `code` is the stable name of the broken rule, such as `wrong_type` or `out_of_range`.
    """
    return Problem(
        kind=stage, code=code, path=path_of(place), message=message, hint=hint, line=line
    )


def unfit(place: str, value: Any, expected: str, code: str = "wrong_type") -> Problem:
    """A value that cannot be read as what is expected."""
    found = f"the text {value!r}" if isinstance(value, str) else text_of(value)
    if isinstance(value, dict | list):
        found = "a list" if isinstance(value, list) else "a table"
    message = f"expected {expected}, found {found}"
    return finding("decode", place, code, message, f"write it as {expected}")


def misfit(place: str, code: str, message: str, hint: str) -> Problem:
    """A rule that a value breaks which could be read."""
    return finding("validate", place, code, message, hint)


def recorded(problem: Problem) -> dict[str, str]:
    """Stage, field and code: the members that other tools compare."""
    field = ".".join(part for part in problem.path if isinstance(part, str))
    return {"stage": problem.kind, "field": field, "code": problem.code}
