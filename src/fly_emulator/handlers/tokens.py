"""Tokens: making them, revoking them, and what one is good for."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final

from fly_emulator.bodies import to_base64
from fly_emulator.calls import Call, Handler, want_text
from fly_emulator.durations import seconds_of
from fly_emulator.macaroons import new_macaroon, principal_of
from fly_emulator.records import Json, TokenRecord
from fly_emulator.settings import Principal
from fly_emulator.wire import ApiRequest, ApiResponse, Outcome, Refusal

_LIFE: Final = 175_200 * 3600.0
"""Seconds that a token is valid unless it is said otherwise: 20 years."""
_SHORT: Final = 600.0
"""Seconds that tokens for other services are valid."""


def issue(
    call: Call,
    organization: str,
    *,
    name: str,
    profile: str,
    app: str | None = None,
    expiry: object = None,
) -> TokenRecord:
    """Make a token. Raises Refusal: the expiry is not a duration."""
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
    """Make a token useless, named by its id or by itself. Raises Refusal: there is none."""
    for made in call.world.tokens:
        if wanted in {made.id, made.token, header(made)} and call.may_use(made.organization):
            made.revoked_at = made.revoked_at or call.now
            return made
    raise Refusal(404, "token not found")


def _deploy_token(call: Call) -> Outcome:
    app = call.app()
    made = issue(
        call,
        app.organization,
        name="deploy token",
        profile="deploy",
        app=app.name,
        expiry=call.body().get("expiry"),
    )
    return {"token": header(made)}


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
        for organization in call.organizations()
    ]
    return {"tokens": tokens}


def _verified(call: Call) -> tuple[str, Principal]:
    """The token text of a body, and whom it speaks for. Raises Refusal: it is missing or bad."""
    header = want_text(call.body(), "header")
    request = ApiRequest(method="", path="", headers={"authorization": header})
    try:
        return header, principal_of(call.world, request.token, call.now)
    except Refusal as error:
        raise Refusal(400, error.message) from error


def _verified_document(header: str) -> Json:
    number = hashlib.sha256(header.encode()).digest()[:16]
    nonce = {"proof": False, "kid": to_base64(number), "rnd": to_base64(number)}
    return {
        "header": header,
        "permission_token": to_base64(header.encode()),
        "nonce": nonce,
        "caveats": {"caveats": []},
    }


def _authorize(call: Call) -> Outcome:
    header, principal = _verified(call)
    access = call.body().get("access")
    if not isinstance(access, dict):
        raise Refusal(400, "access is required")
    app = call.world.apps.get(str(access.get("app_name")))
    slug = app.organization if app is not None else access.get("org_slug")
    organization = call.settings.organization(slug) if isinstance(slug, str) else None
    allowed = call.settings.tokens is None or slug in principal.organizations
    if organization is None or not allowed:
        raise Refusal(403, "unauthorized: the token does not allow it")
    granted: Json = {"orgid": organization.number, "action": str(access.get("action") or "r")}
    if app is not None:
        granted["appid"] = app.number
    return {"access": granted, "verified_token": _verified_document(header)}


def _oidc(call: Call) -> Outcome:
    """A token of the right form; nobody can check its signature, since nobody has the key."""
    audience = call.body().get("aud") or "https://fly.io/personal"
    if not isinstance(audience, str):
        raise Refusal(400, "invalid aud: a text is needed")
    claims = {
        "iss": "https://oidc.fly.io/personal",
        "sub": f"personal:{call.principal.user}",
        "aud": audience,
        "iat": int(call.now),
        "nbf": int(call.now),
        "exp": int(call.now + _SHORT),
        "jti": call.world.hexadecimal(32),
    }
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "emulator"}, claims, {"signed": "by nobody"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ApiResponse(raw=b".".join(part.rstrip(b"=") for part in encoded))


HANDLERS: Final[dict[str, Handler]] = {
    "Tokens_authenticate": lambda call: [_verified_document(_verified(call)[0])],
    "Tokens_authorize": _authorize,
    "Tokens_request_Kms": lambda call: ApiResponse(
        raw=new_macaroon(b"kms", ends=call.now + _SHORT).encode()
    ),
    "Tokens_request_OIDC": _oidc,
    "CurrentToken_show": _current,
    "App_create_deploy_token": _deploy_token,
}
