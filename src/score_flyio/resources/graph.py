"""In which order resources can be provisioned: what a resource's params refer to comes first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from score_flyio.base.place import Path
from score_flyio.base.record import field, frozen
from score_flyio.errors import Problem, ResourceCycleError, ScoreFileError
from score_flyio.resources.prime import Primed, uids_of
from score_flyio.score.placeholders import references_in
from score_flyio.score.resources import Definition, ResourceUid


@frozen
class Graph:
    """Resources and what each needs; a resource needs what any of its definitions refers to."""

    needs: Mapping[ResourceUid, frozenset[ResourceUid]]
    problems: Mapping[ResourceUid, tuple[Problem, ...]]
    """References that lead to no resource."""
    places: Mapping[tuple[ResourceUid, ResourceUid], Sequence[tuple[str, Path]]] = field(
        factory=dict
    )
    """(resource, what it needs) → the workloads and places where params say so."""

    def closure(self, wanted: Collection[ResourceUid]) -> frozenset[ResourceUid]:
        """The wanted resources and all that they need."""
        found: set[ResourceUid] = set()
        open_ = list(wanted)
        while open_:
            uid = open_.pop()
            if uid not in found:
                found.add(uid)
                open_.extend(self.needs.get(uid, ()))
        return frozenset(found)

    def order(
        self, wanted: Collection[ResourceUid], workloads: Collection[str] = ()
    ) -> tuple[ResourceUid, ...]:
        """The wanted resources and all that they need, level by level, each level sorted.

        Of a circle the place in one of `workloads` is told.

        Raises:
            ScoreFileError: params refer to resources that the workload has not.
            ResourceCycleError: resources need each other; the message names them.
        """
        closure = self.closure(wanted)
        if problems := [p for uid in sorted(closure) for p in self.problems.get(uid, ())]:
            raise ScoreFileError(problems=problems)
        sorter = TopologicalSorter({uid: self.needs[uid] for uid in closure})
        # What is in a circle never gets ready; all else does in spite of it.
        with suppress(CycleError):
            sorter.prepare()
        order: list[ResourceUid] = []
        while level := sorted(sorter.get_ready()):
            order += level
            sorter.done(*level)
        if left := closure.difference(order):
            raise self._circle(left, workloads)
        return tuple(order)

    def _circle(
        self, left: Collection[ResourceUid], workloads: Collection[str]
    ) -> ResourceCycleError:
        """Every resource left needs another one that is left: following them leads into it."""
        path = [min(left)]
        while (following := min(self.needs[path[-1]].intersection(left))) not in path:
            path.append(following)
        circle = [*path[path.index(following) :], following]
        members = " needs ".join(f"'{uid}'" for uid in circle)
        text = f"the params of resources refer to each other in a circle: {members}"
        hint = "take one of these references out of the params"
        code = ResourceCycleError.code
        problems = [
            Problem(message=text, path=place, hint=hint, code=code)
            for link in pairwise(circle)
            for workload, place in self.places.get(link, ())
            if workload in workloads
        ]
        return ResourceCycleError(text, hint=hint, problems=problems[:1])


def build(
    primed: Mapping[ResourceUid, Primed], documents: Mapping[str, Mapping[str, Any]]
) -> Graph:
    """The graph of primed resources; `documents` are the Score documents they come from."""
    names = {workload: document.get("resources") or {} for workload, document in documents.items()}
    uids = uids_of(primed)
    needs: dict[ResourceUid, frozenset[ResourceUid]] = {}
    problems: dict[ResourceUid, tuple[Problem, ...]] = {}
    places: dict[tuple[ResourceUid, ResourceUid], list[tuple[str, Path]]] = {}
    for uid, resource in primed.items():
        found: set[ResourceUid] = set()
        wrong: list[Problem] = []
        for definition in resource.definitions:
            for path, reference in references_in(definition.params):
                if reference.resource is None:
                    continue
                target = uids.get((definition.workload, reference.resource))
                if target is not None:
                    found.add(target)
                    place: Path = ("resources", definition.name, "params", *path)
                    places.setdefault((uid, target), []).append((definition.workload, place))
                else:
                    present = sorted(names[definition.workload])
                    wrong.append(_unknown(definition, path, reference.text, present))
        needs[uid] = frozenset(found)
        if wrong:
            problems[uid] = tuple(wrong)
    return Graph(needs, problems, places)


def _unknown(
    definition: Definition, path: tuple[str | int, ...], reference: str, present: list[str]
) -> Problem:
    return Problem(
        message=f"workload '{definition.workload}': ${{{reference}}} names a resource that "
        f"the workload does not have",
        path=("resources", definition.name, "params", *path),
        hint=f"its resources are {', '.join(present)}",
        code="resource_reference_unknown",
    )
