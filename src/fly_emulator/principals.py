"""Who sent a request: its tokens, and whom they speak for."""

from __future__ import annotations

from fly_emulator.macaroons import verified
from fly_emulator.settings import Principal
from fly_emulator.wire import Refusal
from fly_emulator.world import World


def principal_of(world: World, text: str, now: float) -> Principal:
    """Whom a token text speaks for; it may hold several tokens with commas between them.

    Raises Refusal: no token of it is good.
    """
    known = world.settings.tokens
    tokens = [part.strip() for part in text.split(",") if part.strip()]
    for made in world.tokens:
        if made.token in tokens and made.valid_at(now):
            return Principal(user=made.user, organizations=frozenset({made.organization}))
    revoked = {made.token for made in world.tokens}
    usable = [token for token in verified(tokens, now) if token not in revoked]
    if known is None and usable:
        return Principal()
    if tokens and not usable:
        raise Refusal(401, "Authenticate: token validation error; no verified tokens")
    for token in (text, *usable):
        if known is not None and token in known:
            return known[token]
    raise Refusal(401, "unauthorized: the token is missing or unknown")
