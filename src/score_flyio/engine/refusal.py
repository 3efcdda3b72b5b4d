"""All that is wrong with one Score file as one error: no step hides what the next one finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve, frozen

from score_flyio.base.record import Record
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

ItemT = TypeVar("ItemT", bound=Input)


@frozen(kw_only=True, eq=False, repr=False)
class Around(Record):
    """What a workload has to fit into."""

    state: ProjectState
    registry: Callable[[], Registry]


def refusal(item: ScoreApp, around: Around) -> InputError:
    """The error for a workload that was read with problems, with what its usable part comes to."""
    found = list(item.loaded.problems)
    item = expecting(item, around)
    try:
        item.resolve(item.app_in(around.state), {}, pending=True)
    except InputError as error:
        told = {(problem.path, problem.code) for problem in found}
        found += (each for each in error.problems if (each.path, each.code) not in told)
    found += _of_resources(item, around, found)
    usable = item.loaded.usable
    first = item.loaded.problems
    return ScoreFileError(
        problems=[each for each in found if each in first or not usable.is_to_blame(each)]
    )


def expecting(item: ItemT, around: Around) -> ItemT:
    """The input with what is known of the outputs that its resources will have."""
    if not (isinstance(item, ScoreApp) and item.loaded.workload.resources):
        return item
    from score_flyio.score.resources import definitions

    found = {
        each.name: around.registry().all_outputs(each.uid)
        for each in definitions({item.workload: item.loaded.document})
    }
    return evolve(item, promised={name: all_ for name, all_ in found.items() if all_ is not None})


def refuse_params(item: Input) -> None:
    """Raises ScoreFileError where params of resources read what will never be there."""
    if isinstance(item, ScoreApp) and (problems := _of_params(item)):
        raise ScoreFileError(problems=problems)


def _of_params(item: ScoreApp) -> tuple[Problem, ...]:
    from score_flyio.score.validate import params_findings

    return tuple(
        map(item.loaded.origin.located, params_findings(item.loaded.document, item.promises))
    )


def with_resources(error: ScoreFlyError, item: Input, around: Around) -> ScoreFlyError:
    """The error of a workload that cannot be converted, with what is wrong with its resources."""
    if not (isinstance(error, InputError) and error.problems and isinstance(item, ScoreApp)):
        return error
    more = tuple(_of_resources(item, around, error.problems))
    return type(error)(problems=(*error.problems, *more)) if more else error


def misfit(error: ScoreFlyError, item: ScoreApp, around: Around) -> ScoreFlyError:
    """The error of a workload whose resources do not fit, with lines and with those unserved."""
    located = _located(error, item)
    unserved = tuple(_unserved(item, around.registry))
    if unserved or isinstance(error, ScoreFileError):
        return ScoreFileError(problems=(*located, *unserved))
    return type(error)("\n".join(map(str, located)), problems=located)


def _of_resources(item: ScoreApp, around: Around, told: Sequence[Problem]) -> Iterator[Problem]:
    from score_flyio.resources.plan import plan_resources

    documents = {name: record.spec for name, record in around.state.workloads.items()}
    found = _of_params(item)
    try:
        plan_resources(documents | {item.workload: item.loaded.document}, [item.workload])
    except ScoreFlyError as error:
        found += _located(error, item)
    places = {problem.path for problem in told}
    yield from (each for each in found if each.path not in places)
    yield from _unserved(item, around.registry)


def _located(error: ScoreFlyError, item: ScoreApp) -> tuple[Problem, ...]:
    return tuple(map(item.loaded.origin.located, error.problems))


def _unserved(item: ScoreApp, registry: Callable[[], Registry]) -> Iterator[Problem]:
    from score_flyio.score.resources import definitions

    for definition in definitions({item.workload: item.loaded.document}):
        try:
            registry().find(definition.uid)
        except NoProvisionerError as error:
            place = ("resources", definition.name)
            problem = Problem(path=place, message=error.message, hint=error.hint, code=error.code)
            yield item.loaded.origin.located(problem)
