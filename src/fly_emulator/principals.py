"""Who sent a request: its tokens, and whom they speak for."""

from __future__ import annotations

from fly_emulator.macaroons import verified
from fly_emulator.settings import Principal
from fly_emulator.wire import Refusal
from fly_emulator.world import World
from score_flyio.base.macaroon import read_macaroon


def principal_of(world: World, text: str, now: float) -> Principal:
    """Whom a token text speaks for; it may hold several tokens with commas between them.

    Whoever has a token may narrow it by more caveats: it is known by its key, not by its text.

    Raises Refusal: no token of it is good.
    """
    known = world.settings.tokens
    tokens = [part.strip() for part in text.split(",") if part.strip()]
    held = verified(tokens, now)
    keys = {token: each.key for token in held if (each := read_macaroon(token))}
    for made in world.tokens:
        if made.id.encode() in keys.values() and made.valid_at(now):
            return Principal(user=made.user, organizations=frozenset({made.organization}))
    issued = {made.id.encode() for made in world.tokens}
    usable = [token for token in held if keys.get(token) not in issued]
    if known is None and usable:
        return Principal()
    if tokens and not usable:
        raise Refusal(401, "Authenticate: token validation error; no verified tokens")
    for token in (text, *usable):
        if known is not None and token in known:
            return known[token]
    raise Refusal(401, "unauthorized: the token is missing or unknown")
