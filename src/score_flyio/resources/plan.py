"""What a run will provision, before anything happens."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from score_flyio.base.record import evolve, frozen
from score_flyio.errors import ScoreFileError, ScoreFlyError

if TYPE_CHECKING:
    from score_flyio.resources.prime import Conflict, Primed
    from score_flyio.score.resources import ResourceUid
    from score_flyio.state.model import ProjectState


@frozen(kw_only=True)
class ResourcePlan:
    """The resources of some workloads, in order, and what is known of all others."""

    order: tuple[ResourceUid, ...]
    """What to provision: level by level, each level sorted."""
    needs: Mapping[ResourceUid, frozenset[ResourceUid]]
    primed: Mapping[ResourceUid, Primed]
    """Every resource that any workload asks for."""
    documents: Mapping[str, Mapping[str, Any]]
    """Score documents of all workloads, by name."""
    foreign_conflicts: tuple[Conflict, ...] = ()
    """Conflicts between workloads that are not part of the run: nothing to stop for."""

    def resources_of(self, workload: str) -> dict[str, ResourceUid]:
        """Resource name → uid."""
        if not self.primed:
            return {}
        from score_flyio.score.resources import definitions

        own = definitions({workload: self.documents[workload]})
        return {definition.name: definition.uid for definition in own}

    def led_elsewhere(self, workload: str) -> frozenset[str]:
        """Names of the workload's resources whose host names lead to other workloads."""
        return frozenset(name for owner, name in self._led_elsewhere if owner == workload)

    @cached_property
    def _led_elsewhere(self) -> frozenset[tuple[str, str]]:
        if not self.primed:
            return frozenset()
        from score_flyio.resources.apart import led_elsewhere

        return led_elsewhere(self.primed, self.documents)

    def of_types(self, types: Collection[str]) -> Iterator[tuple[str, ResourceUid]]:
        """The resources of some types with each workload that has them, and is led to by them."""
        for uid, resource in self.primed.items():
            for each in resource.definitions if uid.type in types else ():
                if (each.workload, each.name) not in self._led_elsewhere:
                    yield each.workload, uid

    @cached_property
    def behind_the_proxy(self) -> frozenset[str]:
        """The workloads that resources of class `flycast` lead to."""
        return frozenset(
            str((resource.params or {}).get("workload", uid.id.rpartition(".")[2]))
            for uid, resource in self.primed.items()
            if uid.class_ == "flycast" and uid.type in ("service", "service-port")
        )

    def only(self, uids: Collection[ResourceUid]) -> ResourcePlan:
        """The plan for these resources, and what they need, alone."""
        wanted = self._closure(uids)
        return evolve(self, order=tuple(uid for uid in self.order if uid in wanted))

    def all_needs(self, uid: ResourceUid) -> frozenset[ResourceUid]:
        """What a resource needs, and what these need."""
        return self._closure([uid]) - {uid}

    def _closure(self, uids: Collection[ResourceUid]) -> frozenset[ResourceUid]:
        from score_flyio.resources.graph import Graph

        return Graph(self.needs, {}).closure(uids)


def plan_resources(
    documents: Mapping[str, Mapping[str, Any]], workloads: Collection[str]
) -> ResourcePlan:
    """The plan for `workloads`, among all `documents` of the project (by workload name).

    Raises:
        ResourceConflictError: a definition in one of `workloads` differs from another one.
        UnshareableError: one of `workloads` shares what Fly has for one app only.
        ResourceCycleError: resources need each other.
        ScoreFileError: params refer to resources that the workload has not, or several of these.
    """
    if not any(document.get("resources") for document in documents.values()):
        return ResourcePlan(order=(), needs={}, primed={}, documents=documents)
    from score_flyio.resources.apart import unshareable
    from score_flyio.resources.graph import build
    from score_flyio.resources.prime import prime

    primed, conflicts = prime(documents)
    foreign = [each for each in conflicts if set(each.workloads).isdisjoint(workloads)]
    wrong: list[ScoreFlyError] = [
        *(each.error(workloads) for each in conflicts if each not in foreign),
        *unshareable(primed, documents, workloads),
    ]
    graph = build(primed, documents)
    wanted = [
        uid
        for uid, resource in primed.items()
        if any(each.workload in workloads for each in resource.definitions)
    ]
    order: tuple[ResourceUid, ...] = ()
    try:
        order = graph.order(wanted, workloads)
    except ScoreFlyError as error:
        wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise ScoreFileError(problems=[problem for error in wrong for problem in error.problems])
    return ResourcePlan(
        order=order,
        needs=graph.needs,
        primed=primed,
        documents=documents,
        foreign_conflicts=tuple(foreign),
    )


def record_plan(state: ProjectState, plan: ResourcePlan) -> tuple[ResourceUid, ...]:
    """Enter the plan's resources into the state; returns the orphans: those nobody uses any more.

    An orphan stays in the state, without source workload, until someone deprovisions it.
    """
    running = frozenset(plan.order)
    for uid, resource in plan.primed.items():
        record, will_run = state.resources.get(uid), uid in running
        if record is None and will_run:
            from score_flyio.state.resources import ResourceRecord

            record = ResourceRecord(uid=uid, guid=str(uuid4()))
        if record is not None:
            # What this run leaves alone keeps the params that it was provisioned with.
            left_alone = record.provisioned and not will_run
            state.resources[uid] = evolve(
                record,
                params=record.params if left_alone else resource.params,
                metadata=resource.metadata,
                source_workload=resource.source.workload,
            )
    orphans = tuple(sorted(uid for uid in state.resources if uid not in plan.primed))
    for uid in orphans:
        state.resources[uid] = evolve(state.resources[uid], source_workload="")
    return orphans
