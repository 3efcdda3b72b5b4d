"""One session with the Machines API."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Self

from fly_machines import FlyMachinesApi
from score_flyio.base.secret import Secret
from score_flyio.events import Listener
from score_flyio.fly.auth import Tokens
from score_flyio.fly.limits import RateLimiter
from score_flyio.fly.login import Login
from score_flyio.fly.retry import RetryPolicy
from score_flyio.fly.sender import HttpSender
from score_flyio.fly.transport import DEFAULT_BASE_URL, HttpTransport, TransportFactory

if TYPE_CHECKING:
    from score_flyio.fly.logs import LogApi
    from score_flyio.fly.releases import ReleaseApi


class FlyClient:
    """The operations of the Machines API, in `api`, while the context is open.

    Calls keep to the rate limits of `limiter`, are repeated by `retry` where that is safe, and are
    told to `emit`. `transport` makes what carries the requests instead of real HTTP.

    Tokens that expire are renewed while the client is in use.

    With `web_url`, `releases` is where Fly is told of releases, and `logs` gives what machines
    print; else they are None.

    The calls of `fly.repeats` and `fly.leases` take `api`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        tokens: Tokens | Login | None = None,
        *,
        web_url: str | None = None,
        transport: TransportFactory | None = None,
        limiter: RateLimiter | None = None,
        retry: RetryPolicy | None = None,
        rng: random.Random | None = None,
        emit: Listener | None = None,
    ) -> None:
        self._login = tokens if isinstance(tokens, Login) else Login(tokens or Tokens(values=()))
        limiter = limiter or RateLimiter()
        rng = rng or random.Random()  # noqa: S311  (spreads retries, guards nothing)
        self._transports: list[HttpTransport] = []

        def sender(url: str) -> HttpSender:
            carrier = HttpTransport(url, self._login, factory=transport)
            self._transports.append(carrier)
            return HttpSender(
                transport=carrier,
                limiter=limiter,
                policy=retry or RetryPolicy(),
                rng=rng,
                emit=emit or (lambda _: None),
            )

        self.transport = transport
        self.api = FlyMachinesApi(sender(base_url))
        self._web = sender(web_url) if web_url is not None else None

    @property
    def releases(self) -> ReleaseApi | None:
        """Where Fly is told of releases."""
        from score_flyio.fly.releases import ReleaseApi

        return None if self._web is None else ReleaseApi(self._web)

    @property
    def logs(self) -> LogApi | None:
        """Gives what machines print."""
        from score_flyio.fly.logs import LogApi

        return None if self._web is None else LogApi(self._web)

    async def password(self) -> Secret:
        """The tokens that are valid now, as registry and builder take them.

        Raises FlyError: they have ended, and nothing renews them.
        """
        return (await self._login.fresh()).password()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for transport in self._transports:
            await transport.aclose()
