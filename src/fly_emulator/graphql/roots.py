"""What queries and mutations begin with: a resolver by the name of each field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from fly_emulator import guests
from fly_emulator.calls import Call
from fly_emulator.documents import organization_id
from fly_emulator.graphql.finding import found_app, found_record
from fly_emulator.graphql.mutations import mutations
from fly_emulator.graphql.organizations import (
    connection,
    organization_of,
    organization_view,
    viewer_view,
)
from fly_emulator.graphql.views import (
    app_view,
    image_details,
    machine_view,
    region_view,
    volume_view,
)
from fly_emulator.records import Json
from fly_emulator.settings import Organization
from fly_emulator.wire import Refusal

Resolver: TypeAlias = Callable[..., Any]
"""Called with the arguments of the field, by name."""

_LONGEST_PAGE: Final = 1000


def root(call: Call) -> dict[str, Resolver]:
    """The resolvers of both roots, for one request."""
    return {
        **mutations(call),
        "addOn": _no_add_on,
        "addOns": lambda **_: {"nodes": []},
        "app": lambda name="": app_view(call, found_app(call, name)),
        "apps": lambda **wishes: _apps(call, **wishes),
        "appNameAvailable": lambda name: name not in call.world.apps,
        "canPerformBluegreenDeployment": lambda name: bool(found_app(call, name)),
        "latestImageDetails": lambda image, **_: image_details(call, image),
        "latestImageTag": lambda repository, **_: f"{repository}:latest",
        "machine": lambda machineId: _machine(call, machineId),  # noqa: N803  # its name
        "nearestRegion": lambda **_: region_view(call, call.settings.nearest),
        "node": lambda id: _node(call, id),  # noqa: A006  # its name in the schema
        "organization": lambda **wishes: _show(call, _organization(call, **wishes)),
        "organizations": lambda **_: _organizations(call),
        "personalOrganization": lambda: _show(call, _organization(call, slug="personal")),
        "platform": lambda: {
            "requestRegion": call.settings.nearest,
            "regions": [region_view(call, region.code) for region in call.settings.regions],
            "vmSizes": [_size(name, guest) for name, guest in guests.presets().items()],
        },
        "viewer": lambda: viewer_view(call),
        "volume": lambda id: _volume(call, id),  # noqa: A006  # its name in the schema
    }


def _no_add_on(**wishes: Any) -> Json:
    raise Refusal(404, f"Could not find AddOn {wishes.get('name') or wishes.get('id')!r}")


def _size(name: str, guest: Json) -> Json:
    memory = guest["memory_mb"]
    return {
        "name": name,
        "cpuCores": float(guest["cpus"]),
        "memoryMb": memory,
        "memoryGb": memory / 1024,
    }


def _machine(call: Call, name: str) -> Json:
    return machine_view(call, *found_record(call, call.world.machines, "Machine", name))


def _volume(call: Call, name: str) -> Json:
    return volume_view(call, *found_record(call, call.world.volumes, "Volume", name))


def _node(call: Call, name: str) -> Json:
    """What has an id: a volume, a machine, an organization or an app."""
    if name in call.world.volumes:
        return _volume(call, name)
    if name in call.world.machines:
        return _machine(call, name)
    if any(organization_id(one) == name for one in call.organizations()):
        return _show(call, organization_of(call, name))
    return app_view(call, found_app(call, name))


def _apps(
    call: Call,
    *,
    first: int | None = None,
    after: str | None = None,
    organizationId: str | None = None,  # noqa: N803  # the argument's name in the schema
    role: str | None = None,
    **_: Any,
) -> Json:
    """The apps after the one named by the cursor, in the order of their names."""
    allowed = {
        organization.slug
        for organization in call.organizations()
        if organizationId in {None, "", organization_id(organization)}
    }
    found = sorted(
        (
            app
            for app in call.world.apps.values()
            if app.organization in allowed
            and app.visible_at <= call.now
            and (not role or app.role == role)
        ),
        key=lambda app: app.name,
    )
    rest = [app for app in found if app.name > (after or "")]
    page = rest[: _LONGEST_PAGE if first is None else max(first, 0)]
    more = 0 < len(page) < len(rest)
    return {
        **connection((app_view(call, app) for app in page), total=len(found)),
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": len(rest) < len(found),
            "startCursor": page[0].name if page else "",
            "endCursor": page[-1].name if more else "",
        },
    }


def _organizations(call: Call) -> Json:
    found = [_show(call, organization) for organization in call.organizations()]
    edges = [{"cursor": one["slug"], "node": one} for one in found]
    return {
        **connection(found),
        "edges": edges,
        "pageInfo": {"hasNextPage": False, "endCursor": ""},
    }


def _organization(
    call: Call,
    *,
    slug: str | None = None,
    name: str | None = None,
    id: str | None = None,  # noqa: A002  # its name in the schema
) -> Organization:
    if id:
        return organization_of(call, id)
    for organization in call.organizations():
        if name and not slug and organization.name == name:
            return organization
    if call.settings.organization(slug or "") is None:
        raise Refusal(404, f"Could not find Organization {slug or name or ''!r}")
    return call.organization(slug or "")


def _show(call: Call, organization: Organization) -> Json:
    number = organization_id(organization)
    return {
        **organization_view(call, organization),
        "apps": lambda **wishes: _apps(call, **wishes, organizationId=number),
    }
