"""Authorization headers for registries: each registry and each scope is asked once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import anyio
import httpx

from score_flyio.base.record import define, field
from score_flyio.errors import RegistryDenied, RegistryUnavailable, ScoreFlyError
from score_flyio.images.challenge import Challenge, challenge_of
from score_flyio.images.logins import Login, Logins
from score_flyio.images.reference import DOCKER_HUB, ImageReference
from score_flyio.net.web_address import is_loopback

ASKS: Final = "www-authenticate"
SECONDS: Final = 60.0
"""How long a token counts that does not say so."""
REFUSED: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
EARLY: Final = 5.0
"""Seconds before its end that a token is not used any more."""


Exchange: TypeAlias = Callable[[httpx.Request], Awaitable[httpx.Response]]
"""Sends one request."""


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
    """Each with the end of its time, by scope."""


class Access:
    """The logins of a run, as the registries ask for them."""

    def __init__(self, logins: Logins, client: httpx.AsyncClient, exchange: Exchange) -> None:
        self._logins = logins
        self._client = client
        self._exchange = exchange
        self._registries: dict[tuple[str, ...], _Registry] = defaultdict(_Registry)

    async def refused(self, image: ImageReference) -> tuple[bool, str]:
        """Whether there was no login to try, and what may help, for an answer that refuses us."""
        login = (await self._registry(image)).login
        if login is None:
            return True, self._logins.invitation(image.host)
        return False, f"use a login that may; this one is from {login.source}"

    async def authorization(
        self, image: ImageReference, actions: str, *, refused: httpx.Response | None = None
    ) -> dict[str, str]:
        """The header for calls that do this; `refused` is the answer to the last one.

        Without a repository, they are about the registry itself.
        """
        scope = f"repository:{image.repository}:{actions}" if image.repository else ""
        registry, begun = await self._registry(image), anyio.current_time()
        async with registry.lock:
            if registry.challenge is None:
                if registry.failed is not None and registry.failed_at >= begun:
                    raise registry.failed  # while this call waited for its turn
                await self._get_to_know(image, registry)
            elif not self._logins.lasts(image.host):
                registry.login = await self._logins.find(image.host, image.repository)
            assert registry.challenge is not None
            if refused is not None and registry.challenge.scheme == "none":
                registry.challenge = challenge_of(refused.headers.get(ASKS, ""))
        if registry.challenge.scheme == "bearer":
            renew = refused is not None
            token = await self._token(image.host, registry, registry.challenge, scope, renew=renew)
            return {"authorization": f"Bearer {token}"}
        return _basic(registry.login) if registry.challenge.scheme == "basic" else {}

    async def _registry(self, image: ImageReference) -> _Registry:
        keys = await self._logins.entries(image.host, image.repository)
        return self._registries[image.host, *keys]

    async def _get_to_know(self, image: ImageReference, registry: _Registry) -> None:
        try:
            registry.login = await self._logins.find(image.host, image.repository)
            request = self._client.build_request("GET", f"{base_url(image.host)}/v2/")
            response = await self._exchange(request)
        except (httpx.HTTPError, ScoreFlyError) as error:
            registry.failed, registry.failed_at = error, anyio.current_time()
            raise
        refused = response.status_code == httpx.codes.UNAUTHORIZED
        registry.challenge = challenge_of(response.headers.get(ASKS, "") if refused else "")

    async def _token(
        self, host: str, registry: _Registry, challenge: Challenge, scope: str, *, renew: bool
    ) -> str:
        async with registry.scopes[scope]:
            token, end = registry.tokens.get(scope, ("", 0.0))
            if token and anyio.current_time() < end - EARLY and not renew:
                return token
            login = registry.login
            response = await self._ask(host, challenge, login, scope)
            refused = login is not None and response.status_code in REFUSED
            if refused and scope and self._logins.lasts(host):
                # An old login keeps nobody from what everybody may have.
                for_all = await self._ask(host, challenge, None, scope)
                response = for_all if for_all.is_success else response
            token, seconds = self._token_of(host, login, response)
            registry.tokens[scope] = token, anyio.current_time() + seconds
            return token

    async def _ask(
        self, host: str, challenge: Challenge, login: Login | None, scope: str
    ) -> httpx.Response:
        try:
            realm = httpx.URL(challenge.realm)
        except httpx.InvalidURL:
            realm = httpx.URL()
        if not is_safe(realm):
            raise RegistryDenied(
                f"{host} sends its logins to {challenge.realm!r}, which is no encrypted address",
                anonymous=login is None,
                hint="use a registry that asks for logins over https",
            )
        asked = {"service": challenge.service, "scope": scope}
        asked = {name: value for name, value in asked.items() if value}
        if login is not None and login.is_identity:
            form = {**asked, "grant_type": "refresh_token", "client_id": "score-flyio"}
            form["refresh_token"] = login.password.reveal()
            request = self._client.build_request("POST", realm, data=form)
        else:
            url = realm.copy_merge_params(asked)
            request = self._client.build_request("GET", url, headers=_basic(login))
        return await self._exchange(request)

    def _token_of(
        self, host: str, login: Login | None, response: httpx.Response
    ) -> tuple[str, float]:
        if response.status_code in REFUSED:
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


def _basic(login: Login | None) -> dict[str, str]:
    return {"authorization": f"Basic {login.in_base64}"} if login is not None else {}


def base_url(host: str) -> str:
    """Where a registry is: over plain HTTP on this machine only."""
    if host == DOCKER_HUB:
        return "https://registry-1.docker.io"
    scheme = "http" if is_loopback(urlsplit(f"//{host}").hostname) else "https"
    return f"{scheme}://{host}"


def is_safe(url: httpx.URL) -> bool:
    """Whether what is sent there is encrypted or stays on this machine."""
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))
