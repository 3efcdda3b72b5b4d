"""All that is wrong with one Score file as one error: no step hides what the next one finds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.base.place import Path
from score_flyio.base.record import evolve, frozen
from score_flyio.engine.inputs import Input, ScoreApp
from score_flyio.errors import (
    InputError,
    NoProvisionerError,
    PlaceholderError,
    Problem,
    ProvisionFailed,
    ScoreFileError,
    ScoreFlyError,
)
from score_flyio.errors.inputs import with_problems
from score_flyio.state.model import ProjectState

if TYPE_CHECKING:
    from score_flyio.engine.project import Project
    from score_flyio.resources.registry import Registry
    from score_flyio.score.resources import Definition

ItemT = TypeVar("ItemT", bound=Input)
OURS: Final = "template://score-flyio/"


@frozen(kw_only=True)
class Around:
    """What a workload has to fit into."""

    project: Project
    state: ProjectState
    items: tuple[ScoreApp, ...]
    """The workloads of the run."""

    @cached_property
    def registry(self) -> Registry:
        return self.project.registry(self.state)

    @cached_property
    def trial(self) -> Registry:
        """The same as if all workloads of the run were in the state."""
        from score_flyio.score.resources import definitions
        from score_flyio.state.model import WorkloadRecord
        from score_flyio.state.resources import ResourceRecord

        documents = self.documents
        state = evolve(
            self.state,
            workloads={name: WorkloadRecord(spec=dict(spec)) for name, spec in documents.items()},
            resources={
                each.uid: ResourceRecord(uid=each.uid, guid="", source_workload=each.workload)
                for each in definitions(documents)
            },
        )
        return self.project.registry(state)

    @property
    def broken(self) -> frozenset[str]:
        """The workloads of the run of whose documents only a part can be used."""
        return frozenset(item.workload for item in self.items if item.loaded.problems)

    @cached_property
    def documents(self) -> Mapping[str, Mapping[str, Any]]:
        """By workload: those of the run, and of the others what the state has."""
        own = {item.workload: item.loaded.document for item in self.items}
        return {**self.state.documents, **own}


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
    first, usable = item.loaded.problems, item.loaded.usable
    more = (each for each in found[len(first) :] if not usable.is_to_blame(each))
    return ScoreFileError(problems=[*first, *more])


def expecting(item: ItemT, around: Around) -> ItemT:
    """The input with what is known of the outputs and params of its resources."""
    if not (isinstance(item, ScoreApp) and item.loaded.workload.resources):
        return item
    from score_flyio.score.resources import definitions

    own = tuple(definitions({item.workload: item.loaded.document}))
    found = {each.name: around.registry.all_outputs(each.uid) for each in own}
    return evolve(
        item,
        promised={name: all_ for name, all_ in found.items() if all_ is not None},
        remarks=(*item.remarks, *_unknown_params(item, own, around.registry)),
    )


def _unknown_params(
    item: ScoreApp, own: Iterable[Definition], registry: Registry
) -> Iterator[Problem]:
    for each in own:
        known = registry.params(each.uid) if each.params else ()
        for name in each.params or () if known else ():
            if name not in known:
                problem = Problem(
                    path=("resources", each.name, "params", name),
                    message=f"{each.uid.type} has no such param: it has no effect",
                    hint=did_you_mean(nearest(name, known)) or f"it takes {', '.join(known)}",
                    code="param_unknown",
                )
                yield item.loaded.origin.located(problem)


def refuse_params(item: Input) -> None:
    """Raises ScoreFileError where params of resources read what will never be there."""
    if isinstance(item, ScoreApp) and (problems := _of_params(item)):
        raise ScoreFileError(problems=problems)


def unserved(item: Input, around: Around) -> ScoreFileError | None:
    """The error of a workload that asks for what nobody serves, if it does."""
    found = tuple(_unserved(item, around)) if isinstance(item, ScoreApp) else ()
    return ScoreFileError(problems=found) if found else None


def _of_params(item: ScoreApp) -> tuple[Problem, ...]:
    from score_flyio.score.validate import params_findings

    return tuple(
        map(item.loaded.origin.located, params_findings(item.loaded.document, item.promises))
    )


def with_resources(error: ScoreFlyError, item: Input, around: Around) -> ScoreFlyError:
    """The error of a workload that cannot be used, with what is wrong with its resources."""
    if not isinstance(item, ScoreApp):
        return error
    more = tuple(_of_resources(item, around, error.problems))
    if not more:
        return error
    return with_problems(error, more, kind=ScoreFileError, file=item.loaded.file)


def misfit(error: ScoreFlyError, item: ScoreApp, around: Around) -> ScoreFlyError:
    """The error of a workload whose resources do not fit, with lines and with those unserved."""
    located = _located(error, item)
    unserved = tuple(_unserved(item, around))
    if unserved or isinstance(error, ScoreFileError):
        return ScoreFileError(problems=(*located, *unserved))
    return type(error)("\n".join(map(str, located)), problems=located)


def _of_resources(item: ScoreApp, around: Around, told: Sequence[Problem]) -> Iterator[Problem]:
    from score_flyio.resources.plan import plan_resources

    found = _of_params(item)
    try:
        plan_resources({**around.documents, item.workload: item.loaded.document}, [item.workload])
    except ScoreFlyError as error:
        found += _located(error, item)
    places = {problem.path for problem in told}
    yield from (each for each in found if each.path not in places)
    yield from _unserved(item, around, places)


def _located(error: ScoreFlyError, item: ScoreApp) -> tuple[Problem, ...]:
    return tuple(map(item.loaded.origin.located, error.problems))


def _unserved(item: ScoreApp, around: Around, told: Collection[Path] = ()) -> Iterator[Problem]:
    """Resources that nobody serves, or not with these params, but for those `told` about."""
    from score_flyio.score.resources import definitions

    if not item.loaded.workload.resources:
        return
    for definition in definitions({item.workload: item.loaded.document}):
        try:
            around.registry.find(definition.uid)
        except NoProvisionerError as error:
            place = ("resources", definition.name)
            problem = Problem(path=place, message=error.message, hint=error.hint, code=error.code)
            yield item.loaded.origin.located(problem)
    wrong = {path[:2] for path in told}
    yield from (each for each in _refused_params(item, around) if each.path not in wrong)


def _refused_params(item: ScoreApp, around: Around) -> Iterator[Problem]:
    """What types that come with score-flyio would refuse of their params.

    Their templates make nothing: they are rendered for what the workload asks for, as far as that
    does not depend on other resources.
    """
    from score_flyio.resources.provisioner import ProvisionRequest
    from score_flyio.resources.template.provisioner import TemplateProvisioner
    from score_flyio.score.placeholders import Lookup, substitute_in
    from score_flyio.score.resources import definitions

    document = item.loaded.document
    lookup = Lookup(document["metadata"], {})
    for each in definitions({item.workload: document}):
        try:
            serving = around.trial.find(each.uid)
            params = substitute_in(each.params or {}, lookup).value
        except (NoProvisionerError, PlaceholderError):
            continue
        target = params.get("workload", each.uid.id.rpartition(".")[2])
        if not serving.id.startswith(OURS) or target in around.broken:
            continue  # what leads to a part that cannot be used may be right
        provisioner = around.trial.build(serving)
        if isinstance(provisioner, TemplateProvisioner):
            try:
                provisioner.render(ProvisionRequest(uid=each.uid, guid="", params=params))
            except ProvisionFailed as error:
                problem = Problem(
                    kind="unknown_port",  # what else is refused may be right of a broken service
                    path=("resources", each.name),
                    message=error.message,
                    hint=error.hint,
                    code=error.code,
                )
                yield item.loaded.origin.located(problem)
