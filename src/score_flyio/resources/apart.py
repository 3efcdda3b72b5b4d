"""Resources that several workloads cannot share, since each workload is an app of its own at Fly.

| Type | Shared | Why not |
|---|---|---|
| `volume` | never | volumes belong to one app: each would get an empty one of its own |
| `route` | never | its URL leads to one app |
| host of a `route` | by the routes of one workload | a host name leads to one app |

The host of a route is what its param `host` says: a name, or an output of a `dns` or another
resource, which is the same one wherever that resource is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from score_flyio.base.record import field, frozen
from score_flyio.errors import Problem, UnshareableError
from score_flyio.resources.prime import Primed, uids_of
from score_flyio.score.nowhere import LookupFailure
from score_flyio.score.placeholders import Lookup, Reference, parse
from score_flyio.score.render import render
from score_flyio.score.resources import Definition, ResourceUid

_VOLUME = (
    (
        "volume '{}' is shared by workloads {}: at Fly a volume belongs to one app, so each would "
        "get an empty one of its own"
    ),
    "keep the data in one workload, or share it through a bucket or a database",
)
_ROUTE = (
    "route '{}' is shared by workloads {}: its URL leads to one app, which the others would not be",
    "give each workload a route of its own; share a dns to read where another one is reached",
)
_HOST = (
    (
        "workloads {1} have routes on {0}: at Fly a host name leads to one app, so the routes of "
        "the others would never be reached"
    ),
    "give each workload a host name of its own, or let one pass requests on to the others",
)


@frozen(kw_only=True)
class Host:
    """Where routes are, as far as files tell it: equal texts are one host name."""

    text: str
    """With uids in place of resources' names."""
    dns: ResourceUid | None = field(default=None, eq=False)
    """The resource whose output `host` it is, if it is just that."""

    def __str__(self) -> str:
        return f"host '{self.text}'" if self.dns is None else f"{self.dns.type} '{self.dns}'"


def unshareable(
    resources: Mapping[ResourceUid, Primed],
    documents: Mapping[str, Mapping[str, Any]],
    workloads: Collection[str],
) -> Iterator[UnshareableError]:
    """What one of `workloads` shares with another one, but Fly cannot.

    With the reason, and the places in `workloads`.
    """
    for uid, resource in resources.items():
        if uid.type in ("volume", "route"):
            texts = _VOLUME if uid.type == "volume" else _ROUTE
            yield from _of_several(resource.definitions, workloads, uid, texts, ("id",))
    at: dict[Host, list[Definition]] = {}
    for host, route in _routes(resources, documents):
        at.setdefault(host, []).append(route)
    for host, routes in at.items():
        if len({route.uid for route in routes}) > 1:
            yield from _of_several(routes, workloads, host, _HOST, ("params", "host"))


def _of_several(
    found: Collection[Definition],
    workloads: Collection[str],
    what: object,
    texts: tuple[str, str],
    key: tuple[str, ...],
) -> Iterator[UnshareableError]:
    owners = {each.workload for each in found}
    if len(owners) < 2 or owners.isdisjoint(workloads):
        return
    names = " and ".join(f"'{name}'" for name in sorted(owners))
    (message, hint), code = texts, UnshareableError.code
    text = message.format(what, names)
    problems = [
        Problem(message=text, path=("resources", each.name, *key), hint=hint, code=code)
        for each in found
        if each.workload in workloads
    ]
    yield UnshareableError(text, hint=hint, problems=problems)


def leads_to(
    resource: Primed,
    resources: Mapping[ResourceUid, Primed],
    documents: Mapping[str, Mapping[str, Any]],
) -> str:
    """The workload that a `dns` leads to: that with routes on it, or whose definition counts."""
    for host, route in _routes(resources, documents):
        if host.dns == resource.uid:
            return route.workload
    return resource.source.workload


def led_elsewhere(
    resources: Mapping[ResourceUid, Primed], documents: Mapping[str, Mapping[str, Any]]
) -> frozenset[tuple[str, str]]:
    """Workloads and names of their `dns` resources whose host name leads to another workload."""
    return frozenset(
        (each.workload, each.name)
        for resource in resources.values()
        if resource.uid.type == "dns" and len(resource.definitions) > 1
        for owner in (leads_to(resource, resources, documents),)
        for each in resource.definitions
        if each.workload != owner
    )


def _routes(
    resources: Mapping[ResourceUid, Primed], documents: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Host, Definition]]:
    """All routes on hosts that their params name."""
    uids = uids_of(resources)
    for resource in resources.values():
        for each in resource.definitions:
            written = (each.params or {}).get("host") if each.uid.type == "route" else None
            if isinstance(written, str) and written:
                metadata = documents[each.workload].get("metadata") or {}
                yield _host(written, each.workload, uids, metadata), each


def _host(
    written: str,
    workload: str,
    uids: Mapping[tuple[str, str], ResourceUid],
    metadata: Mapping[str, Any],
) -> Host:
    text, uid, tokens = "", None, parse(written)
    for token in tokens:
        if not isinstance(token, Reference):
            text += token.lower()
        elif uid := uids.get((workload, token.resource or "")):
            text += f"${{{'.'.join([str(uid), *token.parts[2:]])}}}"
        else:
            text += _said(token, metadata)
    match tokens:
        case (Reference(parts=(_, _, "host")),):
            return Host(text=text, dns=uid)
    return Host(text=text.rstrip("."))


def _said(reference: Reference, metadata: Mapping[str, Any]) -> str:
    """What the metadata of the workload have; the text itself where that is an error anyway."""
    try:
        value, _ = Lookup(metadata).find(reference)
    except LookupFailure:
        return reference.text
    return render(value).lower()
