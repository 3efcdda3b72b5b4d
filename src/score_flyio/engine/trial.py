"""What the types that come with score-flyio refuse of their params, before anything is made.

Their templates make nothing: they are rendered for what a workload asks for, as far as that does
not depend on other resources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from score_flyio.base.record import evolve
from score_flyio.engine.inputs import ScoreApp
from score_flyio.errors import NoProvisionerError, PlaceholderError, Problem, ProvisionFailed
from score_flyio.resources.provisioner import ProvisionRequest
from score_flyio.resources.registry import Registry
from score_flyio.resources.template.provisioner import TemplateProvisioner
from score_flyio.score.placeholders import Lookup, substitute_in
from score_flyio.score.resources import definitions
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import ResourceRecord

OURS: Final = "template://score-flyio/"


def with_documents(state: ProjectState, documents: Mapping[str, Mapping[str, Any]]) -> ProjectState:
    """The project with these workloads, by name, and the resources that they ask for."""
    return evolve(
        state,
        workloads={name: WorkloadRecord(spec=dict(spec)) for name, spec in documents.items()},
        resources={
            each.uid: ResourceRecord(uid=each.uid, guid="", source_workload=each.workload)
            for each in definitions(documents)
        },
    )


def refused_params(
    item: ScoreApp, registry: Registry, broken: Collection[str]
) -> Iterator[Problem]:
    """What the provisioners of such a project would fail with for the workload.

    `broken` has the names of workloads of which not all is known: what leads there may be right.
    """
    document = item.loaded.document
    lookup = Lookup(document["metadata"], {})
    for each in definitions({item.workload: document}):
        try:
            serving = registry.find(each.uid)
            params = substitute_in(each.params or {}, lookup).value
        except (NoProvisionerError, PlaceholderError):
            continue
        target = params.get("workload", each.uid.id.rpartition(".")[2])
        if not serving.id.startswith(OURS) or target in broken:
            continue
        provisioner = registry.build(serving)
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
