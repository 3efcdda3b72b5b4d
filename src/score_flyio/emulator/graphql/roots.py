"""What queries and mutations begin with: a resolver by the name of each field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from score_flyio.emulator.calls import Call
from score_flyio.emulator.documents import organization_id
from score_flyio.emulator.graphql.views import (
    address_view,
    app_view,
    image_details,
    organization_view,
    region_view,
    user_view,
)
from score_flyio.emulator.handlers import addresses
from score_flyio.emulator.records import App, Json
from score_flyio.emulator.wire import Refusal

Resolver: TypeAlias = Callable[..., Any]
"""Called with graphql-core's info and the arguments of the field, by name."""


def root(call: Call) -> dict[str, Resolver]:
    """The resolvers of both roots, for one request."""
    return {
        "app": lambda _info, name: app_view(call, _app(call, name)),
        "apps": lambda _info, **wishes: _apps(call, **wishes),
        "appNameAvailable": lambda _info, name: name not in call.world.apps,
        "canPerformBluegreenDeployment": lambda _info, name: bool(_app(call, name)),
        "organization": lambda _info, slug: _organization(call, slug),
        "organizations": lambda _info, **_: {"nodes": _organizations(call)},
        "personalOrganization": lambda _info: next(iter(_organizations(call)), None),
        "viewer": lambda _info: user_view(call.principal.user),
        "nearestRegion": lambda _info, **_: region_view(call, call.settings.nearest),
        "platform": lambda _info: {
            "requestRegion": call.settings.nearest,
            "regions": [region_view(call, region.code) for region in call.settings.regions],
        },
        "latestImageDetails": lambda _info, image, **_: image_details(image),
        "allocateIpAddress": lambda _info, input: _allocate(call, input),  # noqa: A006  # its name
        "releaseIpAddress": lambda _info, input: _release(call, input),  # noqa: A006  # its name
        "validateWireGuardPeers": lambda _info, input: {  # noqa: A006  # its name
            "invalidPeerIps": input["peerIps"]
        },
        "addWireGuardPeer": _no_wireguard,
    }


def _app(call: Call, name: str) -> App:
    try:
        return call.app_named(name)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        raise Refusal(404, f'Could not find App "{name}"') from refusal


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
        for organization in call.settings.organizations
        if call.may_use(organization.slug)
        and organizationId in {None, "", organization_id(organization)}
    }
    found = sorted(
        (
            app
            for app in call.world.apps.values()
            if app.organization in allowed
            and app.visible_at <= call.now
            and (role is None or app.role == role)
            and app.name > (after or "")
        ),
        key=lambda app: app.name,
    )
    page = found[:first]
    more = len(page) < len(found)
    return {
        "nodes": [app_view(call, app) for app in page],
        "pageInfo": {"hasNextPage": more, "endCursor": page[-1].name if more else ""},
        "totalCount": len(found),
    }


def _organizations(call: Call) -> list[Json]:
    return [
        organization_view(organization)
        for organization in call.settings.organizations
        if call.may_use(organization.slug)
    ]


def _organization(call: Call, slug: str) -> Json:
    organization = call.settings.organization(call.organization(slug))
    assert organization is not None
    return organization_view(organization)


def _allocate(call: Call, wish: Json) -> Json:
    app = _app(call, wish["appId"])
    address = addresses.allocate(
        call,
        app,
        wish["type"],
        region=wish.get("region") or "",
        network=wish.get("network") or "",
        service_name=wish.get("serviceName") or "",
    )
    shared = address.type == "shared_v4"
    return {
        "app": app_view(call, app),
        "ipAddress": None if shared else address_view(app, address),
        "clientMutationId": wish.get("clientMutationId"),
    }


def _release(call: Call, wish: Json) -> Json:
    app = _app(call, wish["appId"])
    addresses.release(app, wish.get("ip") or wish.get("ipAddressId") or "")
    return {"app": app_view(call, app), "clientMutationId": wish.get("clientMutationId")}


def _no_wireguard(_info: Any, **_: Any) -> Json:
    raise Refusal(501, "the emulator has no WireGuard network")
