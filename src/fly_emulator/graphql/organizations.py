"""Organizations, users and tokens as the objects of the schema."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fly_emulator.calls import Call
from fly_emulator.documents import organization_document, organization_id
from fly_emulator.handlers.tokens import header
from fly_emulator.records import Json, TokenRecord
from fly_emulator.settings import Organization
from fly_emulator.wire import Refusal
from score_flyio.base.clock import rfc3339


def connection(nodes: Iterable[Json], total: int | None = None) -> Json:
    """What a list is in; there may be more in `total` than are shown."""
    shown = [*nodes]
    return {"nodes": shown, "totalCount": len(shown) if total is None else total}


def user_view(email: str) -> Json:
    """A user; the emulator knows only the address."""
    number = hashlib.sha256(email.encode()).hexdigest()[:12]
    return {
        "__typename": "User",
        "id": number,
        "email": email,
        "name": email.partition("@")[0],
        "enablePaidHobby": True,
    }


def viewer_view(call: Call) -> Json:
    """Whom the token speaks for: a macaroon is no user, though it knows its user's address."""
    macaroon = call.request.token.startswith(("fm1r_", "fm1a_", "fm2_"))
    return {**user_view(call.principal.user), "__typename": "Macaroon" if macaroon else "User"}


def organization_of(call: Call, number: str) -> Organization:
    """The organization of an id that only GraphQL knows. Raises Refusal: the caller has none."""
    for organization in call.organizations():
        if organization_id(organization) == number:
            return organization
    raise Refusal(404, "Could not find Organization")


def organization_view(call: Call, organization: Organization) -> Json:
    """An organization; its apps are left to the caller, who knows how they look."""
    document = organization_document(organization)
    return {
        **document,
        "__typename": "Organization",
        "internalNumericId": str(organization.number),
        "type": "PERSONAL" if document["personal"] else "SHARED",
        "settings": {},
        "viewerRole": "admin",
        "agreedToProviderTos": False,
        "addOns": {"nodes": []},
        "members": lambda **_: _members(call),
        "limitedAccessTokens": lambda **_: tokens_view(call, organization=organization.slug),
        "delegatedWireGuardTokens": {"nodes": []},
        "wireGuardPeers": {"nodes": []},
        "wireGuardPeer": _no_peer,
    }


def _members(call: Call) -> Json:
    user = user_view(call.principal.user)
    edge = {"cursor": "1", "node": user, "joinedAt": rfc3339(0), "role": "ADMIN"}
    return {**connection([user]), "edges": [edge]}


def _no_peer(name: str) -> Json:
    raise Refusal(404, f"Could not find WireGuardPeer {name!r}")


def tokens_view(call: Call, *, organization: str, app: str | None = None) -> Json:
    """The tokens of an organization, or those for one of its apps."""
    return connection(
        token_view(made)
        for made in call.world.tokens
        if made.organization == organization and (app is None or made.app == app)
    )


def token_view(made: TokenRecord, *, reveal: bool = False) -> Json:
    """A token; its value is shown only when it is made."""
    revoked = made.revoked_at
    return {
        "__typename": "LimitedAccessToken",
        "id": made.id,
        "name": made.name,
        "profile": made.profile,
        "token": made.token if reveal else "",
        "tokenHeader": header(made) if reveal else None,
        "createdAt": rfc3339(made.created_at),
        "expiresAt": rfc3339(made.expires_at),
        "revokedAt": None if revoked is None else rfc3339(revoked),
        "user": user_view(made.user),
    }
