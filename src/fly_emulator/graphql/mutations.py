"""What mutations do: the same as the calls of the Machines API, by other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from fly_emulator.calls import Call
from fly_emulator.graphql.finding import found_app
from fly_emulator.graphql.organizations import organization_of, organization_view, token_view
from fly_emulator.graphql.views import address_view, app_view
from fly_emulator.handlers import addresses, apps, secrets, tokens
from fly_emulator.records import Json

Mutation: TypeAlias = Callable[[Call, Json], Any]
"""Takes the input of a mutation and gives its payload."""


def _allocate(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    address = addresses.allocate(
        call,
        app,
        wish["type"],
        region=wish.get("region") or "",
        network=wish.get("network") or "",
        service_name=wish.get("serviceName") or "",
    )
    shared = address.type == "shared_v4"
    return {"app": app_view(call, app), "ipAddress": None if shared else address_view(app, address)}


def _release(call: Call, wish: Json) -> Json:
    app = found_app(call, wish.get("appId"))
    addresses.release(app, wish.get("ip") or wish.get("ipAddressId") or "")
    return {"app": app_view(call, app)}


def _allocate_egress(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    return addresses.allocate_egress(
        call, app, machine=wish.get("machineId") or "", region=wish.get("region") or ""
    )


def _release_egress(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    return addresses.release_egress(
        app, machine=wish.get("machineId") or "", ip=wish.get("ip") or ""
    )


def _create_app(call: Call, wish: Json) -> Json:
    app = apps.create(
        call,
        wish.get("name") or call.world.machine_name(),
        organization_of(call, wish["organizationId"]).slug,
        network=wish.get("network") or "",
        role=wish.get("appRoleId") or "",
    )
    return {"app": app_view(call, app)}


def _move_app(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    app.organization = organization_of(call, wish["organizationId"]).slug
    return {"app": app_view(call, app)}


def _delete_app(call: Call, name: str) -> Json:
    """Delete an app; the one mutation that has no input object."""
    app = found_app(call, name)
    apps.delete(call.world, app)
    return {"organization": organization_view(call, call.settings.owner(app.organization))}


def _set_secrets(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    values: Json = dict.fromkeys(app.secrets) if wish.get("replaceAll") else {}
    values |= {one["key"]: one["value"] for one in wish["secrets"]}
    secrets.change(call, app, values)
    return {"app": app_view(call, app)}


def _unset_secrets(call: Call, wish: Json) -> Json:
    app = found_app(call, wish["appId"])
    secrets.change(call, app, dict.fromkeys(wish["keys"]))
    return {"app": app_view(call, app)}


def _create_token(call: Call, wish: Json) -> Json:
    parameters = wish.get("profileParams") or {}
    name = parameters.get("app_id") if isinstance(parameters, dict) else None
    made = tokens.issue(
        call,
        organization_of(call, wish["organizationId"]).slug,
        name=wish["name"],
        profile=wish["profile"],
        app=found_app(call, str(name)).name if name else None,
        expiry=wish.get("expiry"),
    )
    return {"limitedAccessToken": token_view(made, reveal=True)}


def _delete_token(call: Call, wish: Json) -> Json:
    return {"token": tokens.revoke(call, wish.get("id") or wish.get("token") or "").token}


MUTATIONS: Final[dict[str, Mutation]] = {
    "allocateEgressIpAddress": _allocate_egress,
    "allocateIpAddress": _allocate,
    "createApp": _create_app,
    "createLimitedAccessToken": _create_token,
    "deleteLimitedAccessToken": _delete_token,
    "moveApp": _move_app,
    "releaseEgressIpAddress": _release_egress,
    "releaseIpAddress": _release,
    "setSecrets": _set_secrets,
    "unsetSecrets": _unset_secrets,
    "validateWireGuardPeers": lambda _, wish: {
        "invalidPeerIps": wish["peerIps"],
        "validPeerIps": [],
    },
}


def mutations(call: Call) -> dict[str, Callable[..., Any]]:
    """The resolvers of all mutations, for one request."""
    return {
        **{name: _resolver(call, mutation) for name, mutation in MUTATIONS.items()},
        "deleteApp": lambda appId: _delete_app(call, appId),  # noqa: N803  # its name
    }


def _resolver(call: Call, mutation: Mutation) -> Callable[..., Any]:
    def resolve(input: Json) -> Json:  # noqa: A002  # its name in the schema
        payload: Json = mutation(call, input)
        return {"clientMutationId": input.get("clientMutationId"), **payload}

    return resolve
