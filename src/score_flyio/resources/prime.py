"""Which resources the workloads of a project ask for, and whose definition counts.

Workloads are looked at in the order of their names, and so are the resources of each. Of several
definitions of one resource all that have params must have the same ones, before substitution, and
the last of those is the source; likewise for metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from score_flyio.base.record import evolve, field, frozen
from score_flyio.errors import Problem, ResourceConflictError
from score_flyio.score.resources import Definition, JsonObject, ResourceUid, definitions


@frozen(kw_only=True)
class Primed:
    """A resource with all its definitions."""

    uid: ResourceUid
    source: Definition
    """The definition that counts."""
    params: JsonObject | None = field(default=None, repr=False)
    """Before substitution."""
    metadata: JsonObject | None = None
    definitions: tuple[Definition, ...] = ()


@frozen(kw_only=True)
class Conflict:
    """Two definitions of one resource that differ."""

    uid: ResourceUid
    what: str
    """`params` or `metadata`."""
    definitions: tuple[Definition, Definition]

    @property
    def workloads(self) -> tuple[str, str]:
        first, second = self.definitions
        return first.workload, second.workload

    def error(self, workloads: Collection[str] = ()) -> ResourceConflictError:
        """The error to raise for it, with the place in one of `workloads`."""
        first, second = self.workloads
        owners = f"'{first}' and '{second}'" if first != second else f"'{first}' twice"
        text = f"resource '{self.uid}' is defined by workload {owners} with different {self.what}"
        hint = f"write the same {self.what} in both, or leave them out of all but one"
        code = ResourceConflictError.code
        problems = [
            Problem(message=text, path=("resources", each.name, self.what), hint=hint, code=code)
            for each in reversed(self.definitions)
            if each.workload in workloads
        ]
        return ResourceConflictError(text, hint=hint, problems=problems[:1])


def prime(
    documents: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[ResourceUid, Primed], tuple[Conflict, ...]]:
    """The resources that Score documents (by workload name) ask for, and what conflicts."""
    primed: dict[ResourceUid, Primed] = {}
    conflicts: list[Conflict] = []
    for new in definitions(documents):
        known = primed.get(new.uid)
        if known is None:
            primed[new.uid] = Primed(
                uid=new.uid,
                source=new,
                params=new.params,
                metadata=new.metadata,
                definitions=(new,),
            )
        else:
            primed[new.uid] = _merge(known, new, conflicts)
    return primed, tuple(conflicts)


def uids_of(primed: Mapping[ResourceUid, Primed]) -> dict[tuple[str, str], ResourceUid]:
    """The resources by workload and by the name that each has there."""
    return {
        (each.workload, each.name): uid
        for uid, resource in primed.items()
        for each in resource.definitions
    }


def _merge(known: Primed, new: Definition, conflicts: list[Conflict]) -> Primed:
    for what, old, now in (
        ("params", known.params, new.params),
        ("metadata", known.metadata, new.metadata),
    ):
        if old is not None and now is not None and not same(old, now):
            both = (known.source, new)
            conflicts.append(Conflict(uid=new.uid, what=what, definitions=both))
    merged = evolve(known, definitions=(*known.definitions, new))
    if new.params is not None:
        merged = evolve(merged, params=new.params, source=new)
    if new.metadata is not None:
        merged = evolve(merged, metadata=new.metadata)
    return merged


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal, kinds of numbers included: 1, 1.0 and true differ."""
    if type(left) is not type(right):
        return False
    match left:
        case dict():
            return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
        case list():
            return len(left) == len(right) and all(map(same, left, right))
        case _:
            return bool(left == right)
