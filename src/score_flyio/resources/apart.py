"""Resources that several workloads cannot share, since each workload is an app of its own at Fly.

| Type | Shared | Why not |
|---|---|---|
| `volume` | never | volumes belong to one app: each would get an empty one of its own |
| `dns` | while one workload has routes on it; it is certified | a host name leads to one app |
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from score_flyio.errors import ResourceConflictError
from score_flyio.resources.prime import Primed
from score_flyio.score.placeholders import resources_in
from score_flyio.score.resources import Definition


def refuse_unshareable(resources: Collection[Primed], workloads: Collection[str]) -> None:
    """Refuses what one of `workloads` shares with another one, but Fly cannot.

    Raises:
        ResourceConflictError: with the reason.
    """
    routes = [each for resource in resources for each in resource.definitions if _is_route(each)]
    for resource in resources:
        owners = _owners(resource, routes)
        if len(owners) < 2 or owners.isdisjoint(workloads):
            continue
        names = " and ".join(f"'{name}'" for name in sorted(owners))
        if resource.uid.type == "volume":
            raise ResourceConflictError(
                f"volume '{resource.uid}' is shared by workloads {names}: at Fly a volume belongs "
                "to one app, so each would get an empty one of its own",
                hint="keep the data in one workload, or share it through a bucket or a database",
            )
        raise ResourceConflictError(
            f"workloads {names} have routes on dns '{resource.uid}': at Fly a host name leads to "
            "one app, so the routes of the others would never be reached",
            hint="give each workload a dns of its own, or let one pass requests on to the others",
        )


def led_elsewhere(resources: Collection[Primed], workload: str) -> frozenset[str]:
    """Names of the workload's `dns` resources whose host name leads to another workload.

    That is the one with routes on it, or else the one whose definition counts.
    """
    routes = [each for resource in resources for each in resource.definitions if _is_route(each)]
    return frozenset(
        each.name
        for resource in resources
        if resource.uid.type == "dns"
        and workload not in (_owners(resource, routes) or {resource.source.workload})
        for each in resource.definitions
        if each.workload == workload
    )


def _owners(resource: Primed, routes: Iterable[Definition]) -> frozenset[str]:
    """The workloads that need the resource for themselves."""
    match resource.uid.type:
        case "volume":
            return frozenset(each.workload for each in resource.definitions)
        case "dns":
            names = {(each.workload, each.name) for each in resource.definitions}
            return frozenset(
                route.workload
                for route in routes
                for name in resources_in(route.params)
                if (route.workload, name) in names
            )
        case _:
            return frozenset()


def _is_route(definition: Definition) -> bool:
    return definition.uid.type == "route"
