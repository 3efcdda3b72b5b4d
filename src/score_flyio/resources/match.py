"""Which provisioner serves a resource: the first of the list that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from score_flyio.errors import NoProvisionerError

if TYPE_CHECKING:
    from score_flyio.resources.definition import ProvisionerDefinition
    from score_flyio.score.resources import ResourceUid


def find(definitions: Sequence[ProvisionerDefinition], uid: ResourceUid) -> ProvisionerDefinition:
    """The first definition that serves `uid`.

    Raises NoProvisionerError that explains what each candidate of the same type serves instead.
    """
    for definition in definitions:
        if definition.serves(uid):
            return definition
    raise NoProvisionerError(
        f"resource '{uid}': no provisioner serves it{_explain(definitions, uid)}",
        hint=f"add one: score-flyio provisioners add ID {uid.type} …",
    )


def _explain(definitions: Sequence[ProvisionerDefinition], uid: ResourceUid) -> str:
    near = [d for d in definitions if d.resource_type.lower() == uid.type.lower()]
    if not near:
        types = ", ".join(sorted({d.resource_type for d in definitions})) or "none at all"
        return f" (types served: {types})"
    served = "; ".join(f"'{d.id}' serves {_serves(d)}" for d in near)
    return f" ({served})"


def _serves(definition: ProvisionerDefinition) -> str:
    class_ = definition.resource_class or "*"
    return f"{definition.resource_type}.{class_}#{definition.resource_id or '*'}"
