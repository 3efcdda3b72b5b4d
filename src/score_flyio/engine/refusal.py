"""All that is wrong with one Score file as one error: no step hides what the next one finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from score_flyio.engine.inputs import Input, ScoreApp
from score_flyio.errors import (
    InputError,
    NoProvisionerError,
    Problem,
    ScoreFileError,
    ScoreFlyError,
)
from score_flyio.state.model import ProjectState

if TYPE_CHECKING:
    from score_flyio.resources.registry import Registry


def refusal(item: ScoreApp, state: ProjectState, registry: Callable[[], Registry]) -> InputError:
    """The error for a workload that was read with problems, with what its usable part comes to."""
    found = list(item.loaded.problems)
    try:
        item.resolve(item.app_in(state), {}, pending=True)
    except InputError as error:
        told = {(problem.path, problem.code) for problem in found}
        found += (each for each in error.problems if (each.path, each.code) not in told)
    found += _unserved(item, registry)
    usable = item.loaded.usable
    first = item.loaded.problems
    return ScoreFileError(
        problems=[each for each in found if each in first or not usable.is_to_blame(each)]
    )


def with_unserved(
    error: ScoreFlyError, item: Input, registry: Callable[[], Registry]
) -> ScoreFlyError:
    """The error of a workload that cannot be converted, with the resources that nobody serves."""
    if not (isinstance(error, InputError) and error.problems and isinstance(item, ScoreApp)):
        return error
    more = tuple(_unserved(item, registry))
    return type(error)(problems=(*error.problems, *more)) if more else error


def _unserved(item: ScoreApp, registry: Callable[[], Registry]) -> Iterator[Problem]:
    from score_flyio.score.resources import definitions

    for definition in definitions({item.workload: item.loaded.document}):
        try:
            registry().find(definition.uid)
        except NoProvisionerError as error:
            place = ("resources", definition.name)
            problem = Problem(path=place, message=error.message, hint=error.hint, code=error.code)
            yield item.loaded.origin.located(problem)
