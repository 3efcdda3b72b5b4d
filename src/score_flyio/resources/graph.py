"""In which order resources can be provisioned: what a resource's params refer to comes first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any

from attrs import frozen

from score_flyio.base.record import Record
from score_flyio.errors import Problem, ResourceCycleError, ScoreFileError
from score_flyio.resources.prime import Primed
from score_flyio.score.placeholders import references_in
from score_flyio.score.resources import Definition, ResourceUid


@frozen(eq=False, repr=False)
class Graph(Record):
    """Resources and what each needs; a resource needs what any of its definitions refers to."""

    needs: Mapping[ResourceUid, frozenset[ResourceUid]]
    problems: Mapping[ResourceUid, tuple[Problem, ...]]
    """References that lead to no resource."""

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

    def order(self, wanted: Collection[ResourceUid]) -> tuple[ResourceUid, ...]:
        """The wanted resources and all that they need, level by level, each level sorted.

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
            raise _cycle(self.needs, left)
        return tuple(order)


def build(
    primed: Mapping[ResourceUid, Primed], documents: Mapping[str, Mapping[str, Any]]
) -> Graph:
    """The graph of primed resources; `documents` are the Score documents they come from."""
    names = {workload: document.get("resources") or {} for workload, document in documents.items()}
    uids = {
        (definition.workload, definition.name): uid
        for uid, resource in primed.items()
        for definition in resource.definitions
    }
    needs: dict[ResourceUid, frozenset[ResourceUid]] = {}
    problems: dict[ResourceUid, tuple[Problem, ...]] = {}
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
                else:
                    present = sorted(names[definition.workload])
                    wrong.append(_unknown(definition, path, reference.text, present))
        needs[uid] = frozenset(found)
        if wrong:
            problems[uid] = tuple(wrong)
    return Graph(needs, problems)


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


def _cycle(
    needs: Mapping[ResourceUid, frozenset[ResourceUid]], left: frozenset[ResourceUid]
) -> ResourceCycleError:
    """Every resource left needs another one that is left: following them leads into the circle."""
    path = [min(left)]
    while True:
        following = min(needs[path[-1]] & left)
        if following in path:
            circle = [*path[path.index(following) :], following]
            text = " needs ".join(f"'{uid}'" for uid in circle)
            return ResourceCycleError(
                f"the params of resources refer to each other in a circle: {text}",
                hint="take one of these references out of the params",
            )
        path.append(following)
