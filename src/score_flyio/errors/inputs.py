"""Errors about what a person wrote: exit code 2."""

from __future__ import annotations

from collections.abc import Sequence

from score_flyio.errors.base import Problem, ScoreFlyError


class InputError(ScoreFlyError):
    """Something a person wrote is wrong. `problems` has all that is wrong with it."""

    exit_code = 2
    code = "input_invalid"

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        code: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        if message is None:
            message = "\n".join(str(problem) for problem in problems)
        if code is None and problems:
            code = problems[0].code
        super().__init__(message, hint=hint, code=code, problems=problems)


class UsageError(InputError):
    """Commands, options or arguments that do not fit."""

    code = "cli_usage"


class ScoreFileError(InputError):
    """A Score file (or an override of it) that cannot be used."""

    code = "schema_invalid"


class PlaceholderError(InputError):
    """A `${…}` that cannot be resolved."""

    code = "placeholder_invalid"


class ConfigError(InputError):
    """Settings, a provisioner definition, a fly.toml or the environment are wrong."""

    code = "config_invalid"


class WrongPlace(ConfigError):
    """The project's apps are somewhere else than where a run would go."""

    code = "wrong_place"


class UnsupportedFeatureError(InputError):
    """Valid Score that Fly cannot run; the hint says what to do instead."""

    code = "unsupported_feature"


def with_problems(
    error: ScoreFlyError,
    problems: Sequence[Problem],
    *,
    kind: type[InputError] = ConfigError,
    file: str | None = None,
) -> InputError:
    """An error with more problems of what a person wrote; of `kind` where it was no such one.

    `file` is what an error without problems is about.
    """
    own = type(error) if isinstance(error, InputError) else kind
    return own(problems=(*error.as_problems(file), *problems))
