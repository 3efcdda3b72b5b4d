"""A login that is kept alive: tokens that expire soon are renewed as flyctl renews them.

flyctl's login is a macaroon that lives for some minutes, discharges of third parties that live no
longer, and the user's own token, which gets new discharges. Where a macaroon itself ends, the
user's own token gets new ones by GraphQL, one for each organization; where it gets none, it does
alone what they allowed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import anyio

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.base.macaroon import Macaroon, ThirdParty, read_macaroon
from score_flyio.base.record import Factory, define, evolve, field
from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, FlyError
from score_flyio.fly.auth import Tokens, without_schemes

if TYPE_CHECKING:
    import httpx

AHEAD: Final = 120.0
"""Seconds before their end at which tokens are renewed."""
TRUSTED: Final = frozenset({"auth.fly.io", "api.fly.io"})
"""Hosts that are shown the user's own token."""
PATH: Final = "/.well-known/macfly/3p"
PATIENCE: Final = 30.0
"""Seconds to wait for one discharge, and for new macaroons."""
MINTED_LIFE: Final = "10m"
"""Of new macaroons, as of flyctl's."""
_ORGANIZATIONS: Final = "query { organizations { nodes { id } } }"
_MINT: Final = """
mutation ($input: CreateLimitedAccessTokenInput!) {
  createLimitedAccessToken(input: $input) { limitedAccessToken { tokenHeader } }
}
"""
TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105 - the code of an error
_HINT: Final = (
    "log in again with `fly auth login`, or set FLY_API_TOKEN to a token that lasts "
    "(`fly tokens create deploy` prints one)"
)
AGAIN_AFTER: Final = 15.0
"""Seconds before a renewal that failed is tried once more."""


def _client() -> httpx.AsyncClient:
    # Most runs renew nothing, and importing it takes long.
    from score_flyio.net.http import http_client

    return http_client()


@define(eq=False)
class Login:
    """The tokens that calls are made with, renewed in time."""

    tokens: Tokens
    clock: Clock = field(factory=SystemClock)
    trusted: frozenset[str] = TRUSTED
    web_url: str | None = None
    """Where GraphQL is; None: no macaroon is made anew."""
    client: Callable[[], httpx.AsyncClient] = _client
    """Makes what discharges are fetched with."""
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _rests_until: float = field(default=0.0, init=False)
    _end: float | None = field(
        init=False, default=Factory(lambda self: seconds_left(self.tokens, 0.0), takes_self=True)
    )
    """When the tokens end; None: never, as far as they say."""

    async def fresh(self) -> Tokens:
        """Tokens that are valid for some time yet.

        Raises FlyError: they have ended, and nothing renews them.
        """
        if self._due():
            async with self._turn:
                if self._due():
                    await self._renew()
        return self.tokens

    async def check(self) -> None:
        """Raises ConfigError when the tokens end within minutes and nothing renews them."""
        try:
            await self.fresh()
        except FlyError as error:
            raise ConfigError(error.message, hint=error.hint, code=TOKEN_EXPIRED) from error
        left = seconds_left(self.tokens, self.clock.time())
        if left is not None and left < AHEAD:
            raise ConfigError(_ended(self.tokens, left), hint=_HINT, code=TOKEN_EXPIRED)

    def _due(self) -> bool:
        if self._end is None:
            return False
        now = self.clock.time()
        left = self._end - now
        return left < AHEAD and (left <= 0 or now >= self._rests_until)

    async def _renew(self) -> None:
        now, own = self.clock.time(), self.tokens.own
        renewed = await self._discharged(self.tokens.values, now)
        if own and _ends_soon(self.tokens, renewed, now):
            minted = await self._minted(own[0])
            renewed = await self._discharged((*minted, *own), now)
            if _ends_soon(self.tokens, renewed, now):
                renewed = evolve(self.tokens, values=own)
        left = seconds_left(renewed, now)
        gone = bool(self.tokens.macaroons) and not (renewed.macaroons or own)
        if gone or (left is not None and left <= 0):
            raise FlyError(_ended(self.tokens, 0.0), hint=_HINT, code=TOKEN_EXPIRED)
        self.tokens, self._end = renewed, seconds_left(renewed, 0.0)
        self._rests_until = now + AGAIN_AFTER

    async def _discharged(self, values: Sequence[Secret], now: float) -> Tokens:
        """The tokens that live, with new discharges where these end soon."""
        living = [each for each in _readings(values) if _last(each) >= now + AHEAD]
        held = {each.key for each in living}
        needed = dict.fromkeys(party for each in living for party in each.third_parties)
        fresh = [await self._discharge(party) for party in needed if party.ticket not in held]
        found = (*values, *(each for each in fresh if each is not None))
        return evolve(self.tokens, values=_living(found, now))

    async def _minted(self, own: Secret) -> tuple[Secret, ...]:
        """New macaroons of the user, one for each organization; none where that cannot be."""
        import httpx

        found: list[Secret] = []
        with anyio.move_on_after(PATIENCE):
            try:
                known = await self._asked(own, _ORGANIZATIONS, {})
                for each in known["organizations"]["nodes"]:
                    wish = {"name": "score-flyio", "organizationId": each["id"]}
                    wish |= {"profile": "deploy_organization", "expiry": MINTED_LIFE}
                    answer = await self._asked(own, _MINT, {"input": {**wish, "profileParams": {}}})
                    made = answer["createLimitedAccessToken"]["limitedAccessToken"]
                    found += Tokens.parse(made["tokenHeader"]).macaroons
            except (httpx.HTTPError, ValueError, LookupError, TypeError, ConfigError):
                return ()
        return tuple(found)

    async def _asked(self, own: Secret, query: str, variables: dict[str, Any]) -> Any:
        """What GraphQL answers to the user. Raises LookupError where it may not be asked."""
        if self.web_url is None or urlsplit(self.web_url).hostname not in self.trusted:
            raise LookupError(self.web_url)
        headers = {"authorization": f"Bearer {own.reveal()}"}
        body = {"query": query, "variables": variables}
        async with self.client() as client:
            answer = await client.post(f"{self.web_url}/graphql", json=body, headers=headers)
        return answer.json()["data"]

    async def _discharge(self, party: ThirdParty) -> Secret | None:
        """A discharge for a ticket; None where it is not to be had without a person."""
        import httpx

        own, host = self.tokens.own, urlsplit(party.location).hostname
        if not own or host not in self.trusted:
            return None
        ticket = base64.b64encode(party.ticket).decode()
        headers = {"authorization": f"Bearer {own[0].reveal()}"}
        with anyio.move_on_after(PATIENCE):
            try:
                async with self.client() as client:
                    url = party.location.rstrip("/") + PATH
                    answer = await client.post(url, json={"ticket": ticket}, headers=headers)
                    return await _polled(client, host or "", answer)
            except (httpx.HTTPError, ValueError):
                return None
        return None


def _ends_soon(before: Tokens, renewed: Tokens, now: float) -> bool:
    """Whether macaroons that were there are gone, or will be within minutes."""
    left = seconds_left(renewed, now)
    gone = bool(before.macaroons) and not renewed.macaroons
    return gone or (left is not None and left < AHEAD)


async def _polled(client: httpx.AsyncClient, host: str, answer: httpx.Response) -> Secret | None:
    """The discharge of an answer, or of the place that the answer says to ask."""
    document: Any = answer.json() if answer.is_success and answer.content else {}
    url = document.get("poll_url")
    while "discharge" not in document and url and urlsplit(url).hostname == host:
        await anyio.sleep(1.0)
        answer = await client.get(url)
        document = answer.json() if answer.status_code == 200 else {}
        if not answer.is_success:
            return None
    text = document.get("discharge")
    return Secret(without_schemes(text)) if isinstance(text, str) else None


def seconds_left(tokens: Tokens, now: float) -> float | None:
    """How long the tokens that are sent are valid yet; None: as far as they say, for ever.

    Of several macaroons for access, the one that ends first counts: each may be for another
    organization.
    """
    known = _readings(tokens.macaroons)
    tickets = {party.ticket for each in known for party in each.third_parties}
    ends = [_end(each, known) for each in known if each.key not in tickets]
    end = min(ends, default=inf)
    return None if end == inf else end - now


def _last(macaroon: Macaroon) -> float:
    return inf if macaroon.not_after is None else macaroon.not_after


def _end(macaroon: Macaroon, known: list[Macaroon]) -> float:
    """When it ends, or the first of the discharges that it needs; 0 without one of them."""
    discharges = (
        [_last(each) for each in known if each.key == party.ticket]
        for party in macaroon.third_parties
    )
    return min([_last(macaroon), *(max(ends, default=0.0) for ends in discharges)])


def _living(values: Iterable[Secret], now: float) -> tuple[Secret, ...]:
    """Without what has ended, and without discharges of what has ended."""
    read = [(value, read_macaroon(value.reveal())) for value in values]
    known = [each for _, each in read if each is not None]
    tickets = {party.ticket for each in known for party in each.third_parties}
    living = [each for each in known if _last(each) > now]
    needed = {p.ticket for e in living if e.key not in tickets for p in e.third_parties}
    kept = [each for each in living if each.key not in tickets or each.key in needed]
    return tuple(value for value, each in read if each is None or each in kept)


def _readings(values: Iterable[Secret]) -> list[Macaroon]:
    found = (read_macaroon(value.reveal()) for value in values)
    return [each for each in found if each is not None]


def _ended(tokens: Tokens, left: float) -> str:
    when = "has expired" if left <= 0 else f"expires in {left:.0f} s"
    return f"the token of {tokens.source} {when}, and cannot be renewed from here"
