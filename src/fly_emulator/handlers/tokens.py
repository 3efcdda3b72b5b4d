"""Tokens: making them, revoking them, and what one is good for."""

from __future__ import annotations

import hashlib
from typing import Final

from fly_emulator.calls import Call, Handler
from fly_emulator.durations import seconds_of
from fly_emulator.macaroons import new_macaroon
from fly_emulator.records import App, TokenRecord
from fly_emulator.wire import ApiResponse, Outcome, Refusal

_LIFE: Final = 175_200 * 3600.0
"""Seconds that a token is valid unless it is said otherwise: 20 years."""


def issue(
    call: Call,
    organization: str,
    *,
    name: str,
    profile: str,
    app: str | None = None,
    expiry: object = None,
) -> TokenRecord:
    """Make a token.

    Raises:
        Refusal: The expiry is not a duration.
    """
    life = seconds_of(expiry) if expiry else _LIFE
    if not life or life < 0:
        raise Refusal(422, f"invalid expiry: {expiry!r} is not a duration")
    key, ends = call.world.letters(20), call.now + min(life, _LIFE)
    made = TokenRecord(
        id=key,
        name=name,
        organization=organization,
        app=app,
        profile=profile,
        token=new_macaroon(key.encode(), ends=ends),
        user=call.principal.user,
        created_at=call.now,
        expires_at=ends,
    )
    call.world.tokens.append(made)
    return made


def header(made: TokenRecord) -> str:
    """The token with the scheme word in front of it, as it is printed."""
    return f"FlyV1 {made.token}"


def revoke(call: Call, wanted: str) -> TokenRecord:
    """Make a token useless, named by its id or by itself.

    Raises:
        Refusal: There is none.
    """
    for made in call.world.tokens:
        if wanted in {made.id, made.token, header(made)} and call.may_use(made.organization):
            made.revoked_at = made.revoked_at or call.now
            return made
    raise Refusal(404, "token not found")


def _deploy_token(call: Call) -> Outcome:
    app: App = call.app()
    made = issue(
        call,
        app.organization,
        name="deploy token",
        profile="deploy",
        app=app.name,
        expiry=call.body().get("expiry"),
    )
    return ApiResponse(document={"token": header(made)})


def _current(call: Call) -> Outcome:
    if call.settings.current_token is not None:
        raise Refusal(call.settings.current_token, "unauthorized: not a token that can be shown")
    number = hashlib.sha256(call.request.token.encode()).hexdigest()[:16]
    tokens = [
        {
            "token_id": number,
            "organization": organization.name,
            "org_slug": organization.slug,
            "apps": [
                app.name
                for app in call.world.apps.values()
                if app.organization == organization.slug
            ],
            "user": call.principal.user,
        }
        for organization in call.settings.organizations
        if call.may_use(organization.slug)
    ]
    return ApiResponse(document={"tokens": tokens})


HANDLERS: Final[dict[str, Handler]] = {
    "CurrentToken_show": _current,
    "App_create_deploy_token": _deploy_token,
}
