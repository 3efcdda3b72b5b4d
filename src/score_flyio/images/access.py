"""Authorization headers for registries: each registry and each scope is asked once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

import anyio
import httpx

from score_flyio.base.record import define, field
from score_flyio.errors import RegistryDenied, RegistryUnavailable, ScoreFlyError
from score_flyio.images.challenge import NO_LOGIN, Challenge, challenge_of
from score_flyio.images.logins import Login, Logins
from score_flyio.images.reference import DOCKER_HUB
from score_flyio.net.web_address import is_loopback

SECONDS: Final = 60.0
"""How long a token counts that does not say so."""
_REFUSED: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
EARLY: Final = 5.0
"""Seconds before its end that a token is not used any more."""


class Exchange(Protocol):
    """Sends one request."""

    def __call__(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        authorization: str | None = None,
        content: bytes = b"",
    ) -> Awaitable[httpx.Response]: ...


@define
class _Registry:
    """What is known about one registry, as far as it has one login."""

    lock: anyio.Lock = field(factory=anyio.Lock)
    challenge: Challenge | None = None
    login: Login | None = None
    failed: httpx.HTTPError | ScoreFlyError | None = None
    """Why the last attempt to get to know it ended without a challenge."""
    failed_at: float = 0.0
    scopes: dict[str, anyio.Lock] = field(factory=lambda: defaultdict(anyio.Lock))
    tokens: dict[str, tuple[str, float]] = field(factory=dict)
    """Header and the end of its time, by scope."""


class Access:
    """The logins of a run, as the registries ask for them."""

    def __init__(self, logins: Logins, exchange: Exchange) -> None:
        self._logins = logins
        self._exchange = exchange
        self._registries: dict[tuple[str, ...], _Registry] = defaultdict(_Registry)

    async def refused(self, host: str, repository: str) -> tuple[bool, str]:
        """Whether there was no login to try, and what may help, for an answer that refuses us."""
        login = (await self._registry(host, repository)).login
        if login is None:
            return True, self._logins.invitation(host)
        return False, f"use a login that may; this one is from {login.source}"

    async def authorization(
        self,
        host: str,
        repository: str,
        actions: str,
        *,
        refused: httpx.Response | None = None,
    ) -> str | None:
        """The header for calls that do this; `refused` is the answer to the last one.

        Without a repository, they are about the registry itself.
        """
        scope = f"repository:{repository}:{actions}" if repository else ""
        registry, begun = await self._registry(host, repository), anyio.current_time()
        async with registry.lock:
            if registry.challenge is None:
                if registry.failed is not None and registry.failed_at >= begun:
                    raise registry.failed  # while this call waited for its turn
                await self._get_to_know(host, repository, registry)
            elif not self._logins.lasts(host):
                registry.login = await self._logins.find(host, repository)
            assert registry.challenge is not None
            if refused is not None and registry.challenge.scheme == "none":
                registry.challenge = challenge_of(refused.headers.get("www-authenticate", ""))
        if registry.challenge.scheme == "bearer":
            return await self._token(host, registry, scope, renew=refused is not None)
        if registry.challenge.scheme == "basic" and registry.login is not None:
            return f"Basic {registry.login.in_base64}"
        return None

    async def _registry(self, host: str, repository: str) -> _Registry:
        return self._registries[host, *await self._logins.entries(host, repository)]

    async def _get_to_know(self, host: str, repository: str, registry: _Registry) -> None:
        try:
            registry.login = await self._logins.find(host, repository)
            registry.challenge = await self._challenge(host)
        except (httpx.HTTPError, ScoreFlyError) as error:
            registry.failed, registry.failed_at = error, anyio.current_time()
            raise

    async def _challenge(self, host: str) -> Challenge:
        response = await self._exchange("GET", f"{base_url(host)}/v2/")
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return NO_LOGIN
        return challenge_of(response.headers.get("www-authenticate", ""))

    async def _token(self, host: str, registry: _Registry, scope: str, *, renew: bool) -> str:
        async with registry.scopes[scope]:
            header, end = registry.tokens.get(scope, ("", 0.0))
            if header and anyio.current_time() < end - EARLY and not renew:
                return header
            assert registry.challenge is not None
            challenge, login = registry.challenge, registry.login
            response = await self._ask(host, challenge, login, scope)
            refused = login is not None and response.status_code in _REFUSED
            if refused and scope and self._logins.lasts(host):
                # An old login keeps nobody from what everybody may have.
                for_all = await self._ask(host, challenge, None, scope)
                response = for_all if for_all.is_success else response
            token, seconds = self._token_of(host, login, response)
            registry.tokens[scope] = f"Bearer {token}", anyio.current_time() + seconds
            return registry.tokens[scope][0]

    async def _ask(
        self, host: str, challenge: Challenge, login: Login | None, scope: str
    ) -> httpx.Response:
        try:
            realm = httpx.URL(challenge.realm or "none:")
        except httpx.InvalidURL:
            realm = httpx.URL("none:")
        if not is_safe(realm):
            raise RegistryDenied(
                f"{host} sends its logins to {challenge.realm!r}, which is no encrypted address",
                anonymous=login is None,
                hint="use a registry that asks for logins over https",
            )
        asked = [("service", challenge.parameters.get("service", "")), ("scope", scope)]
        asked = [(name, value) for name, value in asked if value]
        if login is not None and login.is_identity:
            form = [*asked, ("grant_type", "refresh_token"), ("client_id", "score-flyio")]
            form.append(("refresh_token", login.password.reveal()))
            content = urlencode(form).encode()
            kind = {"content-type": "application/x-www-form-urlencoded"}
            return await self._exchange("POST", str(realm), kind, None, content)
        query = "&".join(filter(None, (realm.query.decode(), urlencode(asked))))
        url = str(realm.copy_with(query=query.encode()))
        return await self._exchange("GET", url, None, f"Basic {login.in_base64}" if login else None)

    def _token_of(
        self, host: str, login: Login | None, response: httpx.Response
    ) -> tuple[str, float]:
        if response.status_code in _REFUSED:
            if login is None:
                hint = self._logins.invitation(host)
                raise RegistryDenied(f"{host} wants a login", anonymous=True, hint=hint)
            message = f"{host} refuses the login of {login.source}"
            raise RegistryDenied(message, anonymous=False, hint=login.renewal)
        try:
            answer = json.loads(response.content)
            token = str(answer.get("token") or answer["access_token"])
            return token, float(answer.get("expires_in") or SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RegistryUnavailable(
                f"{host} gives no token: its login server answers {response.status_code}",
                hint="try again",
            ) from None


def base_url(host: str) -> str:
    """Where a registry is: over plain HTTP on this machine only."""
    if host == DOCKER_HUB:
        return "https://registry-1.docker.io"
    scheme = "http" if is_loopback(urlsplit(f"//{host}").hostname) else "https"
    return f"{scheme}://{host}"


def is_safe(url: httpx.URL) -> bool:
    """Whether what is sent there is encrypted or stays on this machine."""
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))
