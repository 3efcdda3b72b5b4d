"""The tokens of requests: macaroons, whom they speak for, and discharges for third parties."""

from __future__ import annotations

import struct
from typing import Any, Final

from fly_emulator.bodies import from_base64, to_base64
from fly_emulator.calls import Call, Interface
from fly_emulator.settings import Principal
from fly_emulator.wire import ApiRequest, Outcome, Refusal
from fly_emulator.world import World
from score_flyio.base.macaroon import read_macaroon

PERMISSION: Final = "https://api.fly.io/v1"
"""Location of tokens, by which clients tell them from discharges."""
USERS: Final = "https://api.fly.io/aaa/v1"
"""Location of the third party that knows users, and of its discharges."""


def new_macaroon(
    key: bytes, *, ends: float, ticket: bytes | None = None, location: str = PERMISSION
) -> str:
    """A macaroon that ends; with a ticket, one that needs a discharge for it."""
    caveats: list[Any] = [4, [0, int(ends)]]
    caveats += [] if ticket is None else [11, [USERS, b"verifier", ticket]]
    return "fm2_" + to_base64(_pack([[key, b"random", False], location, caveats, b"tail"]))


def _verified(tokens: list[str], now: float) -> list[str]:
    """Those of the tokens of a request that hold now; what is of no known form holds."""
    read = [(token, read_macaroon(token)) for token in tokens]
    known = [each for _, each in read if each is not None]
    living = [each for each in known if each.not_after is None or each.not_after > now]
    held = {each.key for each in living}
    return [
        token
        for token, each in read
        if each is None or (each in living and all(p.ticket in held for p in each.third_parties))
    ]


def principal_of(world: World, text: str, now: float) -> Principal:
    """Whom a token text speaks for; it may hold several tokens with commas between them.

    Whoever has a token may narrow it by more caveats: it is known by its key, not by its text.

    Raises Refusal: no token of it is good.
    """
    known = world.settings.tokens
    tokens = [part.strip() for part in text.split(",") if part.strip()]
    held = _verified(tokens, now)
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


class Discharges(Interface):
    """The interface that gives a user a discharge for a ticket."""

    prefix = "/aaa/v1/.well-known/macfly/3p"

    def name(self, _request: ApiRequest) -> str:
        return "Macfly_discharge"

    def handle(self, call: Call) -> Outcome:
        if call.request.token.startswith("fm"):
            raise Refusal(403, "a user's own token is needed")
        ticket = from_base64(call.body(), "ticket")
        if not ticket:
            raise Refusal(400, "ticket is required")
        ends = call.now + call.settings.discharge_life
        return {"discharge": new_macaroon(ticket, ends=ends, location=USERS)}


def _pack(value: Any) -> bytes:
    """Msgpack of what is in a macaroon."""
    match value:
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return b"\xcf" + struct.pack(">Q", value)
        case bytes():
            return b"\xc5" + struct.pack(">H", len(value)) + value
        case str():
            raw = value.encode()
            return b"\xd9" + bytes([len(raw)]) + raw
        case _:
            return bytes([0x90 | len(value)]) + b"".join(map(_pack, value))
