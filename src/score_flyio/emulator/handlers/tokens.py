"""What a token is good for."""

from __future__ import annotations

import hashlib
from typing import Final

from score_flyio.emulator.calls import Call, Handler
from score_flyio.emulator.wire import ApiResponse, Outcome


def _current(call: Call) -> Outcome:
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


HANDLERS: Final[dict[str, Handler]] = {"CurrentToken_show": _current}
